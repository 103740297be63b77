import { describe, expect, test } from '@jest/globals';
import { effectiveRoles } from '../../../domain/security/effective-roles.ts';
import type { Person } from '../../../domain/security/permission.ts';

const ana: Person = { name: 'ana@example.com', kind: 'person', groups: ['shop-team', 'payments'] };
const ben: Person = { name: 'ben@example.com', kind: 'person', groups: ['shop-team'] };
const ci: Person = { name: 'ci', kind: 'service', groups: [] };
const sixPmMs = Date.UTC(2026, 10, 22, 18, 0, 0, 250);

describe('the roles that each person has, in words', () => {
  test('a role by name says where it holds', () => {
    expect(effectiveRoles([ana], [{ role: 'admin', users: [ana.name], groups: [] }])).toEqual([
      { person: ana.name, roles: ['admin in all environments'] },
    ]);
  });

  test('a role by a group says which group brings it, and when it ends', () => {
    const [one] = effectiveRoles(
      [ben],
      [
        {
          role: 'operator',
          users: [],
          groups: ['shop-team'],
          environments: ['prod'],
          untilMs: sixPmMs,
        },
      ],
    );
    expect(one?.roles).toEqual([
      'operator in prod, by group shop-team, until 2026-11-22T18:00:00Z',
    ]);
  });

  test('who has a role in two ways sees both, since taking one away leaves the other', () => {
    const grants = [
      { role: 'operator', users: [ana.name], groups: ['payments', 'shop-team'] },
      { role: 'operator', users: [ana.name], groups: [], untilMs: sixPmMs },
    ];
    expect(effectiveRoles([ana], grants)[0]?.roles).toEqual([
      'operator in all environments',
      'operator in all environments, by group payments',
      'operator in all environments, by group shop-team',
      'operator in all environments, until 2026-11-22T18:00:00Z',
    ]);
  });

  test('people without roles are there with none, and everybody is in order', () => {
    const grants = [{ role: 'viewer', users: [], groups: ['shop-team'] }];
    expect(effectiveRoles([ci, ben, ana], grants)).toEqual([
      { person: ana.name, roles: ['viewer in all environments, by group shop-team'] },
      { person: ben.name, roles: ['viewer in all environments, by group shop-team'] },
      { person: 'ci', roles: [] },
    ]);
  });

  test('the same grant written twice, or its environments in another order, says the same once', () => {
    const one = { role: 'operator', users: [ana.name], groups: [] };
    const grants = [
      { ...one, environments: ['staging', 'prod', 'dev'] },
      { ...one, environments: ['dev', 'prod', 'staging', 'dev'] },
    ];
    expect(effectiveRoles([ana], grants)[0]?.roles).toEqual(['operator in dev, prod and staging']);
  });

  test('nobody has what is given to others', () => {
    const grants = [{ role: 'admin', users: ['eve@example.com'], groups: ['root-team'] }];
    expect(effectiveRoles([ana, ci], grants).flatMap(({ roles }) => roles)).toEqual([]);
  });
});
