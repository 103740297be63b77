import type { Person, RoleGrant } from './permission.ts';

/** A place with rights of its own, which follow the roles that are given here. */
export interface TargetRule {
  name: string;
  /** Only grants that hold there count; absent: those of any environment. */
  environment?: string | undefined;
  /** What each of our roles comes to there, in the words of the target. */
  rights: Readonly<Record<string, readonly string[]>>;
  /** Targets that know groups get groups; others get their members one by one. */
  takesGroups: boolean;
}

/** Somebody's right in a target. */
export interface Membership {
  member: string;
  kind: 'user' | 'group';
  /** In the words of the target: a ClusterRole, a database role, a permission. */
  right: string;
}

/** A target as it is changed and read back. */
export interface AccessTarget {
  /** Memberships that were made here; those that others made are theirs. */
  read(): Promise<Membership[]>;
  /**
   * Takes away first, then gives. What is so already stays: a repeated call changes nothing.
   * @throws ACCESS_TARGET_REFUSED if nothing can help but a change of the target or its settings,
   * ACCESS_TARGET_UNREACHABLE
   */
  change(change: MembershipChange): Promise<void>;
}

export interface MembershipChange {
  remove: readonly Membership[];
  give: readonly Membership[];
}

const keyOf = ({ member, kind, right }: Membership): string =>
  JSON.stringify([right, kind, member]);

/** What a target has to have, for these grants and people; sorted, each once. */
export const membershipsFor = (
  { environment, rights, takesGroups }: TargetRule,
  { grants, people }: { grants: readonly RoleGrant[]; people: readonly Person[] },
): Membership[] => {
  const found = grants
    .filter(
      ({ environments }) =>
        environments === undefined ||
        environment === undefined ||
        environments.includes(environment),
    )
    .flatMap(({ role, users, groups }) =>
      (Object.hasOwn(rights, role) ? (rights[role] ?? []) : []).flatMap((right) => [
        ...usersAmong(people, users).map((member) => ({ member, kind: 'user' as const, right })),
        ...(takesGroups
          ? groups.map((member) => ({ member, kind: 'group' as const, right }))
          : membersOf(people, groups).map((member) => ({ member, kind: 'user' as const, right }))),
      ]),
    );
  return sorted(found);
};

/** Someone who left, or whom nobody knows, gets nothing anywhere. */
const usersAmong = (people: readonly Person[], users: readonly string[]): string[] =>
  users.filter((user) => people.some(({ name }) => name === user));

const membersOf = (people: readonly Person[], groups: readonly string[]): string[] =>
  people
    .filter((person) => person.groups.some((group) => groups.includes(group)))
    .map(({ name }) => name);

const sorted = (memberships: readonly Membership[]): Membership[] =>
  [...new Map(memberships.map((each) => [keyOf(each), each])).entries()]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, each]) => each);

/** What makes the one list into the other. */
export const membershipChange = (
  present: readonly Membership[],
  wanted: readonly Membership[],
): MembershipChange => {
  const has = new Set(present.map(keyOf));
  const wants = new Set(wanted.map(keyOf));
  return {
    remove: sorted(present.filter((each) => !wants.has(keyOf(each)))),
    give: sorted(wanted.filter((each) => !has.has(keyOf(each)))),
  };
};

/** `edit of ana@example.com`. */
export const describeMembership = ({ member, kind, right }: Membership): string =>
  `${right} of ${kind === 'group' ? 'group ' : ''}${member}`;
