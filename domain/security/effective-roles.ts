import type { AccessGrant } from './access-grant.ts';
import type { Person } from './permission.ts';

/** A role as somebody has it by access.yaml or by a change of access. */
export interface HeldRole {
  role: string;
  users: readonly string[];
  groups: readonly string[];
  /** Absent: in all environments. */
  environments?: readonly string[] | undefined;
  /** Absent: until it is taken away. */
  untilMs?: number | undefined;
}

/** Roles of one person, in words. */
export interface RolesInWords {
  person: string;
  roles: string[];
}

/** What changes of access gave, in the shape of access.yaml and with its end. */
export const heldRolesOf = (grants: readonly AccessGrant[]): HeldRole[] =>
  grants.map(({ role, holder, environments, untilMs }) => ({
    role,
    users: 'user' in holder ? [holder.user] : [],
    groups: 'group' in holder ? [holder.group] : [],
    environments,
    untilMs,
  }));

/**
 * Who has which roles, one line per way in which somebody has one:
 * `operator in prod, by group shop-team, until 2026-11-22T18:00:00Z`. What has ended is the caller's
 * to leave out.
 */
export const effectiveRoles = (
  people: readonly Person[],
  grants: readonly HeldRole[],
): RolesInWords[] =>
  people
    .map((person) => ({ person: person.name, roles: inWords(person, grants) }))
    .sort((one, other) => compare(one.person, other.person));

const inWords = ({ name, groups }: Person, grants: readonly HeldRole[]): string[] => {
  const lines = grants.flatMap((grant) => {
    const ways = [
      ...(grant.users.includes(name) ? [''] : []),
      ...grant.groups
        .filter((group) => groups.includes(group))
        .map((group) => `, by group ${group}`),
    ];
    return ways.map((way) => `${grant.role} in ${placesOf(grant)}${way}${endOf(grant)}`);
  });
  return [...new Set(lines)].sort(compare);
};

const placesOf = ({ environments }: HeldRole): string => {
  if (environments === undefined) return 'all environments';
  const names = [...new Set(environments)].sort(compare);
  const last = names.pop() ?? 'no environment';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
};

const endOf = ({ untilMs }: HeldRole): string =>
  untilMs === undefined ? '' : `, until ${momentInWords(untilMs)}`;

/** To the second, as people read it: `2026-11-22T18:00:00Z`. */
export const momentInWords = (atMs: number): string =>
  new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z');

// Not by locale: a plan and its digest have to be the same on every machine.
const compare = (one: string, other: string): number => {
  if (one === other) return 0;
  return one < other ? -1 : 1;
};
