import { describe, expect, test } from '@jest/globals';
import type { AccessChange, AskedGrant } from '../../../domain/security/access-change.ts';
import { accessQuestion, changeOf } from '../../../domain/security/access-change.ts';
import type { AccessGrant } from '../../../domain/security/access-grant.ts';
import {
  judgeChange,
  type AccessRules,
  type AccessSituation,
} from '../../../domain/security/access-rules.ts';

const hourMs = 3_600_000;
const atMs = Date.UTC(2026, 10, 22, 12);

const people = [
  { name: 'adam', kind: 'person' as const, groups: ['admins'] },
  { name: 'rita', kind: 'person' as const, groups: ['shop'] },
  { name: 'omar', kind: 'person' as const, groups: ['shop', 'on-call'] },
];

const rules: AccessRules = {
  roles: { releaser: {}, approver: {}, operator: { longest: 8 * hourMs } },
  separations: [{ name: 'release-and-approve', roles: ['releaser', 'approver'] }],
  breakGlass: { roles: ['operator'], longest: 4 * hourMs, reviewWithin: 24 * hourMs },
};

const given = (role: string, user: string, environments?: string[]): AccessGrant => ({
  ...{ role, holder: { user }, change: 'before' },
  ...(environments === undefined ? {} : { environments }),
});

const situation = (changes: Partial<AccessSituation> = {}): AccessSituation => ({
  people,
  standing: [{ role: 'approver', users: [], groups: ['on-call'], environments: ['prod'] }],
  list: { version: 3, grants: [given('releaser', 'rita', ['prod'])] },
  atMs,
  ...changes,
});

const change = (changes: Partial<AccessChange>): AccessChange => ({
  ...{ change: 'c-1', requestedBy: { actor: 'adam', reason: 'asked' } },
  ...{ give: [], remove: [], isBreakGlass: false, isCertification: false },
  ...changes,
});

const grant = (role: string, user: string, rest: Partial<AskedGrant> = {}): AskedGrant => ({
  role,
  holder: { user },
  ...rest,
});

const judge = (asked: Partial<AccessChange>, at = situation()) =>
  judgeChange(change(asked), rules, at);

const problemsOf = (...asked: Parameters<typeof judge>): string[] => {
  const verdict = judge(...asked);
  return verdict.isAllowed ? [] : verdict.problems.map(({ rule, why }) => `${rule}: ${why}`);
};

describe('a change of access is held against the rules', () => {
  test('one that breaks none is allowed as it is', () => {
    const asked = { give: [grant('releaser', 'omar', { environments: ['test'] })] };
    expect(judge(asked)).toEqual({ isAllowed: true, ...asked, remove: [] });
  });

  test('what somebody has already is left out of it', () => {
    const asked = { give: [grant('releaser', 'rita', { environments: ['prod'] })] };
    expect(judge(asked)).toEqual({ isAllowed: true, give: [], remove: [] });
  });

  test('what ends and is given for longer is not left out', () => {
    const ending = { ...given('releaser', 'rita'), untilMs: atMs + hourMs };
    const at = situation({ list: { version: 1, grants: [ending] } });
    expect(judge({ give: [grant('releaser', 'rita')] }, at)).toMatchObject({ give: [{}] });
  });

  test.each([
    ['a role that nobody may give', { give: [grant('king', 'rita')] }, 'unknown-role'],
    [
      'someone who is not in the directory',
      { give: [grant('releaser', 'nobody')] },
      'unknown-holder',
    ],
    ['a role for oneself', { give: [grant('releaser', 'adam')] }, 'self-grant'],
    [
      'a role for a group that one is in',
      { give: [{ role: 'releaser', holder: { group: 'admins' } }] },
      'self-grant',
    ],
    ['no end, where there has to be one', { give: [grant('operator', 'rita')] }, 'longest'],
    [
      'an end that is too far away',
      { give: [grant('operator', 'rita', { forMs: 9 * hourMs })] },
      'longest',
    ],
    ['a role that nobody gave', { remove: [grant('operator', 'rita')] }, 'not-given'],
  ])('%s is refused', (_what, asked, rule) => {
    expect(problemsOf(asked).map((text) => text.split(':')[0])).toEqual([rule]);
  });

  test('a role that access.yaml gives is taken away there', () => {
    const place = { role: 'approver', holder: { group: 'on-call' }, environments: ['prod'] };
    expect(problemsOf({ remove: [place] })[0]).toContain('access.yaml gives it; take it out there');
  });

  test('an own role may be given up', () => {
    const at = situation({ list: { version: 1, grants: [given('releaser', 'adam')] } });
    expect(problemsOf({ remove: [grant('releaser', 'adam')] }, at)).toEqual([]);
  });
});

describe('separation of duties', () => {
  test('names the rule, the person and both roles, also where one comes by a group', () => {
    const problems = problemsOf({ give: [grant('releaser', 'omar', { environments: ['prod'] })] });
    expect(problems).toEqual([
      'release-and-approve: omar would hold approver of group on-call in prod and releaser of omar in prod, which nobody may together',
    ]);
  });

  test('holds within an environment only', () => {
    expect(problemsOf({ give: [grant('approver', 'rita', { environments: ['test'] })] })).toEqual(
      [],
    );
    expect(problemsOf({ give: [grant('approver', 'rita')] })).toHaveLength(1);
  });

  test('a role that is taken away in the same change is not in the way', () => {
    const remove = [grant('releaser', 'rita', { environments: ['prod'] })];
    const give = [grant('approver', 'rita', { environments: ['prod'] })];
    expect(judge({ give, remove })).toMatchObject({ isAllowed: true });
  });

  test('a role that has ended is not in the way', () => {
    const ended = { ...given('releaser', 'rita'), untilMs: atMs };
    const at = situation({ list: { version: 1, grants: [ended] } });
    expect(problemsOf({ give: [grant('approver', 'rita')] }, at)).toEqual([]);
  });

  test('a conflict that is there already does not forbid another change', () => {
    const grants = [given('releaser', 'rita'), given('approver', 'rita')];
    const at = situation({ list: { version: 1, grants } });
    expect(
      problemsOf({ give: [grant('releaser', 'omar', { environments: ['test'] })] }, at),
    ).toEqual([]);
  });

  test('the smallest ways out are told: leave it out, or take the other away', () => {
    const verdict = judge({
      give: [
        grant('approver', 'rita', { environments: ['prod'] }),
        grant('releaser', 'omar', { environments: ['test'] }),
      ],
    });
    expect(verdict).toMatchObject({
      fixes: ['releaser for omar', 'approver for rita, releaser for omar, −releaser of rita'],
    });
  });

  test('there is no way out where only access.yaml could give way', () => {
    const grants = [given('operator', 'rita')];
    const at = situation({ list: { version: 1, grants } });
    const verdict = judge({ give: [grant('releaser', 'omar', { environments: ['prod'] })] }, at);
    expect(verdict).toMatchObject({ isAllowed: false, fixes: [] });
  });

  test('a way out needs as many steps as there are conflicts, and no more', () => {
    const grants = [given('releaser', 'rita'), given('releaser', 'omar')];
    const at = situation({ standing: [], list: { version: 1, grants } });
    const give = [grant('approver', 'rita'), grant('approver', 'omar')];
    const verdict = judge({ give, remove: [] }, at);
    expect(verdict).toMatchObject({
      fixes: expect.arrayContaining([
        'approver for omar, −releaser of omar',
        'approver for rita, −releaser of rita',
      ]),
    });
  });
});

describe('breaking glass', () => {
  const broken = (give: AskedGrant[], actor = 'omar') => ({
    give,
    ...{ isBreakGlass: true, requestedBy: { actor, reason: 'prod is down' } },
  });

  test('gives a role to oneself, without an approval before', () => {
    expect(problemsOf(broken([grant('operator', 'omar')]))).toEqual([]);
  });

  test.each([
    ['other roles', broken([grant('releaser', 'omar', { environments: ['test'] })])],
    ['others', broken([grant('operator', 'rita')])],
    ['groups', broken([{ role: 'operator', holder: { group: 'on-call' } }])],
    ['longer than allowed', broken([grant('operator', 'omar', { forMs: 5 * hourMs })])],
  ])('not for %s', (_what, asked) => {
    expect(problemsOf(asked)).not.toEqual([]);
  });

  test('not where access.yaml lets nobody', () => {
    const asked = change(broken([grant('operator', 'omar')]));
    const { breakGlass: _, ...strict } = rules;
    expect(judgeChange(asked, strict, situation())).toMatchObject({ isAllowed: false });
  });
});

describe('what policies are asked about a change', () => {
  const input = {
    ...{ change: 'c-1', breakGlass: false, certify: false },
    requestedBy: { actor: 'adam', reason: 'asked' },
    give: [{ role: 'operator', user: 'rita', environments: ['prod'] }],
    remove: [{ role: 'releaser', group: 'shop', environments: ['prod'] }],
  };

  test('one environment, if all of it is for that one', () => {
    expect(accessQuestion(changeOf(input))).toEqual({
      ...{ environment: 'prod', service: 'c-1', requestedBy: 'adam' },
      access: { users: ['rita'], groups: ['shop'], isBreakGlass: false },
    });
  });

  test('all environments, if it is for more than one or for all', () => {
    const more = { ...input, give: [{ role: 'operator', user: 'rita' }] };
    expect(accessQuestion(changeOf(more)).environment).toBe('*');
    const two = { ...input, give: [{ role: 'operator', user: 'rita', environments: ['test'] }] };
    expect(accessQuestion(changeOf(two)).environment).toBe('*');
    const none = { ...input, give: [], remove: [], certify: true };
    expect(accessQuestion(changeOf(none)).environment).toBe('*');
  });
});
