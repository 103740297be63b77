import { describe, expect, test } from '@jest/globals';
import type { AccessChange } from '../../../domain/security/access-change.ts';
import type { AccessGrant } from '../../../domain/security/access-grant.ts';
import {
  approvalFor,
  approvalsDisagree,
  differenceOf,
  grantsAfter,
} from '../../../domain/security/access-writes.ts';

const atMs = 1_000_000;

const kept: AccessGrant = { role: 'releaser', holder: { user: 'omar' }, change: 'before' };
const taken: AccessGrant = {
  role: 'releaser',
  holder: { user: 'rita' },
  change: 'before',
  untilMs: atMs + 5,
};
const before = { version: 4, grants: [kept, taken] };

const change: AccessChange = {
  ...{ change: 'c-1', requestedBy: { actor: 'adam', reason: 'asked' } },
  give: [{ role: 'operator', holder: { user: 'rita' }, environments: ['prod'], forMs: 60_000 }],
  remove: [{ role: 'releaser', holder: { user: 'rita' } }],
  ...{ isBreakGlass: false, isCertification: false },
};

const given: AccessGrant = {
  ...{ role: 'operator', holder: { user: 'rita' }, environments: ['prod'] },
  ...{ change: 'c-1', untilMs: atMs + 60_000 },
};

describe('the grants after a phase', () => {
  test('of removal lack what was to be removed, and nothing else', () => {
    expect(grantsAfter('remove', { change, list: before, atMs })).toEqual([kept]);
  });

  test('of giving have it with its end and the change that gave it', () => {
    const list = { version: 5, grants: [kept] };
    expect(grantsAfter('give', { change, list, atMs })).toEqual([kept, given]);
  });

  test('a role that two changes give holds until the later end, whichever ends first', () => {
    const longer = { ...given, untilMs: atMs + 90_000, change: 'older' };
    const list = { version: 5, grants: [longer] };
    const both = grantsAfter('give', { change, list, atMs });
    expect(both).toEqual([longer, given]);
    expect(grantsAfter('end', { change, list: { version: 6, grants: both }, atMs })).toEqual([
      longer,
    ]);
  });

  test('what lasts already is not given twice, and what has ended goes', () => {
    const { untilMs: _, ...lasting } = { ...given, change: 'older' };
    const ended = { ...taken, untilMs: atMs };
    const asked = { ...change, give: change.give.map(({ forMs: _for, ...rest }) => rest) };
    const list = { version: 5, grants: [lasting, ended] };
    expect(grantsAfter('give', { change: asked, list, atMs })).toEqual([lasting]);
  });

  test('what is taken by breaking glass always ends', () => {
    const [asked] = change.give;
    const { forMs: _, ...lasting } = asked ?? { role: '', holder: { user: '' } };
    const broken = { ...change, isBreakGlass: true, give: [lasting] };
    const breakGlass = { roles: ['operator'], longest: 7_000, reviewWithin: 1 };
    const [grant] = grantsAfter('give', {
      ...{ change: broken, list: { version: 0, grants: [] }, breakGlass, atMs },
    });
    expect(grant?.untilMs).toBe(atMs + 7_000);
  });

  test('of its end lack what this change gave', () => {
    const list = { version: 6, grants: [kept, given] };
    expect(grantsAfter('end', { change, list, atMs })).toEqual([kept]);
  });

  test('put back are as before, with their own ends', () => {
    const list = { version: 6, grants: [kept, given] };
    expect(grantsAfter('put back', { change, list, before, atMs })).toEqual([kept, taken]);
  });

  test('what somebody else gave meanwhile stays beside what is put back', () => {
    const newer = { ...taken, change: 'c-2', untilMs: atMs + 99 };
    const list = { version: 7, grants: [kept, given, newer] };
    expect(grantsAfter('put back', { change, list, before, atMs })).toEqual([kept, newer, taken]);
  });

  test('what is other is told in words', () => {
    expect(differenceOf(before.grants, [kept, given])).toEqual({
      given: ['operator of rita in prod until 1970-01-01T00:17:40.000Z'],
      removed: ['releaser of rita in all environments until 1970-01-01T00:16:40.005Z'],
    });
  });
});

describe('who has to approve', () => {
  const roles = {
    releaser: {},
    operator: { approval: { quorum: 1, within: 10, groups: ['leads', 'security'] } },
    admin: { approval: { quorum: 2, within: 20, groups: ['security'] } },
    owner: { approval: { quorum: 1, within: 20, groups: ['board'] } },
  };
  const rules = { roles, separations: [] };
  const giving = (...names: string[]): AccessChange => ({
    ...change,
    give: names.map((role) => ({ role, holder: { user: 'rita' } })),
  });

  test('nobody, where no role is sensitive, and for what is taken away', () => {
    expect(approvalFor(giving('releaser'), rules)).toBeUndefined();
    expect(approvalFor(giving(), rules)).toBeUndefined();
  });

  test('as many as the strictest role wants, of the groups that all want, in the shortest time', () => {
    expect(approvalFor(giving('releaser', 'operator', 'admin'), rules)).toMatchObject({
      ...{ quorum: 2, groups: ['security'], withinMs: 10 },
    });
  });

  test('roles that different groups approve are no one change', () => {
    expect(approvalFor(giving('operator', 'owner'), rules)).toBe(approvalsDisagree);
  });

  test('nobody before, where the glass is broken', () => {
    expect(approvalFor({ ...giving('admin'), isBreakGlass: true }, rules)).toBeUndefined();
  });
});
