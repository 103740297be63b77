import { beforeEach, describe, expect, test } from '@jest/globals';
import { createAccessTargets } from '../../../activities/identity/index.ts';
import type { AccessTargets } from '../../../activities/identity/port.ts';
import {
  describeMembership,
  type AccessTarget,
  type TargetRule,
} from '../../../domain/security/access-target.ts';
import type { Person, RoleGrant } from '../../../domain/security/permission.ts';
import {
  createInMemoryAccessTarget,
  type AccessTargetKnobs,
} from '../../fakes/in-memory-access-target.ts';

const rule: TargetRule = {
  name: 'cluster',
  rights: { operator: ['edit'], releaser: ['view'] },
  takesGroups: false,
};

const people: Person[] = ['ana', 'bob', 'cleo'].map((name) => ({
  name,
  kind: 'person',
  groups: name === 'cleo' ? [] : ['shop-team'],
}));

let grants: RoleGrant[];
let target: AccessTarget;
let knobs: AccessTargetKnobs;
let access: AccessTargets;

const given = (role: string, ...users: string[]): RoleGrant => ({ role, users, groups: [] });

const reconcile = async (name = 'cluster') => access.reconcile({ target: name });

const accessTo = (other: AccessTarget): AccessTargets =>
  createAccessTargets({
    targets: async () => Promise.resolve(new Map([['cluster', { rule, target: other }]])),
    wanted: async () => Promise.resolve({ grants, people }),
  });

beforeEach(() => {
  ({ target, knobs } = createInMemoryAccessTarget({ takesGroups: false }));
  grants = [given('operator', 'ana'), given('releaser', 'bob')];
  access = accessTo(target);
});

describe('a target that is reconciled', () => {
  test('has what the grants say, and the answer tells what changed', async () => {
    expect(await reconcile()).toEqual({ given: ['edit of ana', 'view of bob'], removed: [] });
    grants = [given('releaser', 'ana')];
    expect(await reconcile()).toEqual({
      given: ['view of ana'],
      removed: ['edit of ana', 'view of bob'],
    });
    expect([...knobs.ours.keys()]).toEqual(['view of ana']);
    expect(knobs.writes.slice(2)).toEqual(['- edit of ana', '- view of bob', '+ view of ana']);
  });

  test('is not written to when it has everything', async () => {
    await reconcile();
    expect(await reconcile()).toEqual({ given: [], removed: [] });
    expect(knobs.writes).toHaveLength(2);
  });

  test('gets back what someone took, and loses what someone gave in our name', async () => {
    await reconcile();
    knobs.ours.delete('edit of ana');
    const odd = { member: 'cleo', kind: 'user', right: 'edit' } as const;
    knobs.ours.set(describeMembership(odd), odd);
    expect(await reconcile()).toEqual({ given: ['edit of ana'], removed: ['edit of cleo'] });
  });

  test('loses what it should even where what it should get is refused', async () => {
    await reconcile();
    grants = [given('operator', 'cleo')];
    access = accessTo({
      ...target,
      change: async (change) => {
        if (change.give.length > 0) knobs.fail = refuse;
        await target.change(change);
      },
    });
    await expect(reconcile()).rejects.toMatchObject({ type: 'ACCESS_TARGET_REFUSED' });
    expect([...knobs.ours.keys()]).toEqual([]);
  });

  test('keeps what a later change gave while it was read', async () => {
    await reconcile();
    const read = async () => {
      const answer = await target.read();
      if (grants.length === 2) {
        grants = [...grants, given('operator', 'cleo')];
        const edit = { member: 'cleo', kind: 'user', right: 'edit' } as const;
        await target.change({ remove: [], give: [edit] });
      }
      return answer;
    };
    access = accessTo({ ...target, read });
    await reconcile();
    expect([...knobs.ours.keys()]).toContain('edit of cleo');
    expect(knobs.writes.join()).not.toContain('-');
  });

  test('does not end well where what it got is not wanted any more', async () => {
    const change: AccessTarget['change'] = async (asked) => {
      await target.change(asked);
      grants = [given('operator', 'ana')];
    };
    access = accessTo({ ...target, change });
    await expect(reconcile()).rejects.toMatchObject({
      type: 'ACCESS_TARGET_DIFFERS',
      message: expect.stringContaining('view of bob is there still'),
    });
    expect(await reconcile()).toEqual({ given: [], removed: ['view of bob'] });
  });
});

const refuse = { change: { code: 'ACCESS_TARGET_REFUSED', times: 1 } } as const;

describe('a target that does not take a change', () => {
  test('differs when it is read back: the memberships are named, and it is tried again', async () => {
    knobs.loseWrites = 1;
    await expect(reconcile()).rejects.toMatchObject({
      type: 'ACCESS_TARGET_DIFFERS',
      nonRetryable: false,
      message: expect.stringContaining('edit of ana, view of bob is missing'),
    });
    expect(await reconcile()).toMatchObject({ given: ['edit of ana', 'view of bob'] });
  });

  test('differs where it keeps what was taken away', async () => {
    await reconcile();
    grants = [given('operator', 'ana')];
    knobs.loseWrites = 1;
    await expect(reconcile()).rejects.toMatchObject({
      message: expect.stringContaining('view of bob is there still'),
    });
  });

  test('names twenty of many', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `user-${String(index)}`);
    grants = [given('operator', ...names)];
    access = createAccessTargets({
      targets: async () => Promise.resolve(new Map([['cluster', { rule, target }]])),
      wanted: async () =>
        Promise.resolve({
          grants,
          people: names.map((name) => ({ name, kind: 'person' as const, groups: [] })),
        }),
    });
    knobs.loseWrites = 1;
    await expect(reconcile()).rejects.toMatchObject({
      message: expect.stringContaining(' and 5 more is missing'),
    });
  });

  test.each([
    ['ACCESS_TARGET_REFUSED', true],
    ['ACCESS_TARGET_UNREACHABLE', false],
  ] as const)('says so by %s', async (code, nonRetryable) => {
    knobs.fail = { change: { code, times: 1 } };
    await expect(reconcile()).rejects.toMatchObject({ type: code, nonRetryable });
    knobs.fail = { read: { code, times: 1 } };
    await expect(reconcile()).rejects.toMatchObject({ type: code, nonRetryable });
    expect(await reconcile()).toMatchObject({ given: ['edit of ana', 'view of bob'] });
  });

  test('is not there at all', async () => {
    await expect(reconcile('cellar')).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('There is no target cellar in access.yaml; it has cluster'),
    });
  });
});
