import { describeGrant, isHeldBy, type GrantPlace } from './access-grant.ts';
import type { Person } from './permission.ts';

/** Roles that no one person may hold together. */
export interface Separation {
  name: string;
  roles: readonly string[];
  /** Absent: in no environment. */
  environments?: readonly string[] | undefined;
}

/** A grant with what tells it from others. */
export type HeldGrant = GrantPlace & { key: string };

export interface SeparationConflict {
  rule: string;
  why: string;
}

/** People who hold two of the roles of a separation in one environment, by name or by group. */
export const separationConflicts = (
  grants: readonly HeldGrant[],
  separations: readonly Separation[],
  people: readonly Person[],
): SeparationConflict[] =>
  separations.flatMap((separation) =>
    people.flatMap((person) => conflictsOf(separation, person, grants)),
  );

const conflictsOf = (
  separation: Separation,
  person: Person,
  grants: readonly HeldGrant[],
): SeparationConflict[] => {
  const held = grants.filter(
    (grant) => separation.roles.includes(grant.role) && isHeldBy(grant.holder, person),
  );
  return held.flatMap((one, index) =>
    held.slice(index + 1).flatMap((other) => {
      if (one.role === other.role || !meet(one, other, separation)) return [];
      const why = `${person.name} would hold ${describeGrant(one)} and ${describeGrant(other)}, which nobody may together`;
      return [{ rule: separation.name, why }];
    }),
  );
};

/** Is there an environment in which both hold, and the separation too? */
const meet = (one: GrantPlace, other: GrantPlace, separation: Separation): boolean => {
  const sets = [one.environments, other.environments, separation.environments].filter(
    (set) => set !== undefined,
  );
  const [first, ...rest] = sets;
  return first === undefined || first.some((name) => rest.every((set) => set.includes(name)));
};
