import { describe, expect, test } from '@jest/globals';
import {
  describeMembership,
  membershipChange,
  membershipsFor,
  type TargetRule,
} from '../../../domain/security/access-target.ts';
import type { Person, RoleGrant } from '../../../domain/security/permission.ts';

const people: Person[] = [
  { name: 'ana', kind: 'person', groups: ['shop-team'] },
  { name: 'bob', kind: 'person', groups: ['shop-team', 'leads'] },
  { name: 'ci', kind: 'service', groups: [] },
];

const grants: RoleGrant[] = [
  { role: 'operator', users: ['ci'], groups: ['shop-team'] },
  { role: 'releaser', users: ['bob', 'gone'], groups: [], environments: ['staging'] },
  { role: 'approver', users: ['ana'], groups: [] },
];

const rule = (changes: Partial<TargetRule> = {}): TargetRule => ({
  name: 'cluster',
  rights: { operator: ['edit'], releaser: ['view', 'edit'] },
  takesGroups: false,
  ...changes,
});

const inWords = (changes: Partial<TargetRule>, given = grants): string[] =>
  membershipsFor(rule(changes), { grants: given, people }).map(describeMembership);

describe('what a target has to have', () => {
  test('are the rights of the roles, of each member of a group, each once', () => {
    expect(inWords({})).toEqual(['edit of ana', 'edit of bob', 'edit of ci', 'view of bob']);
  });

  test('are groups as such where the target knows groups', () => {
    expect(inWords({ takesGroups: true })).toEqual([
      'edit of group shop-team',
      'edit of bob',
      'edit of ci',
      'view of bob',
    ]);
  });

  test('leaves out what is given for other environments, and nothing where it has none', () => {
    expect(inWords({ environment: 'prod' })).toEqual(['edit of ana', 'edit of bob', 'edit of ci']);
    expect(inWords({ environment: 'staging' })).toContain('view of bob');
    expect(inWords({})).toContain('view of bob');
  });

  test('leaves out who is not in the directory', () => {
    expect(inWords({}).join()).not.toContain('gone');
    const all = membershipsFor(rule(), { grants, people: people.slice(1) });
    expect(all.map(describeMembership)).toEqual(['edit of bob', 'edit of ci', 'view of bob']);
  });

  test('takes a role of a name that every object has as one without rights', () => {
    const odd: RoleGrant[] = [{ role: 'constructor', users: ['ana'], groups: [] }];
    expect(inWords({}, odd)).toEqual([]);
  });

  test('does not depend on the order of grants and people', () => {
    const there = membershipsFor(rule(), { grants, people });
    const back = membershipsFor(rule(), {
      grants: grants.toReversed(),
      people: people.toReversed(),
    });
    expect(back).toEqual(there);
  });
});

describe('what changes a target', () => {
  const edit = { member: 'ana', kind: 'user', right: 'edit' } as const;
  const view = { member: 'ana', kind: 'user', right: 'view' } as const;
  const team = { member: 'ana', kind: 'group', right: 'view' } as const;

  test('is what is there and not wanted, and what is wanted and not there', () => {
    expect(membershipChange([edit, view], [view, team])).toEqual({ remove: [edit], give: [team] });
  });

  test('is nothing where both are the same, in any order and however often', () => {
    expect(membershipChange([edit, view, edit], [view, edit])).toEqual({ remove: [], give: [] });
  });

  test('takes a group and a user of one name as two', () => {
    expect(membershipChange([view], [team])).toEqual({ remove: [view], give: [team] });
  });
});
