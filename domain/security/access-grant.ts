import type { Person, RoleGrant } from './permission.ts';

/** Who holds a role: someone of the directory, or everyone of a group. */
export type GrantHolder = { user: string } | { group: string };

/** A role that a change of access gave, beside those that access.yaml gives. */
export interface AccessGrant {
  role: string;
  holder: GrantHolder;
  /** Absent: in all environments. */
  environments?: readonly string[];
  /** From this moment on it gives nothing; absent: until it is taken away. */
  untilMs?: number;
  /** The change that gave it. */
  change: string;
}

/** What was given at one time. Each write makes the next version; the old ones stay. */
export interface GrantList {
  /** 0 where nothing was ever given. */
  version: number;
  grants: readonly AccessGrant[];
}

export interface GrantWrite {
  /** The same for each attempt: a repeated write answers what the first one wrote. */
  id: string;
  /** What was signed for it; it is good for one write, whoever shows it again. */
  request?: string;
  /** The version that the new list was made from. */
  basedOn: number;
  grants: readonly AccessGrant[];
}

/** Roles that changes of access gave. */
export interface AccessGrants {
  /** The newest version, with grants that have ended. */
  current(): Promise<GrantList>;
  /** The list that the write of this id made; undefined if there was none. */
  written(id: string): Promise<GrantList | undefined>;
  /** The list as it was at a version; undefined where there was no such. */
  at(version: number): Promise<GrantList | undefined>;
  /**
   * @throws ACCESS_CHANGED if there is a newer version than the one that it is based on,
   * IDENTITY_UNPROVEN if its request was written under another id
   */
  write(write: GrantWrite): Promise<GrantList>;
}

/** A grant as a policy meets it. */
export type GrantPlace = Pick<AccessGrant, 'role' | 'holder' | 'environments'>;

/** Equal for what is the same role of the same holder in the same environments. */
export const grantKey = ({ role, holder, environments }: GrantPlace): string =>
  JSON.stringify([role, holderName(holder), [...(environments ?? ['*'])].sort()]);

/** `ana@example.com`, or `group shop-team`. */
export const holderName = (holder: GrantHolder): string =>
  'user' in holder ? holder.user : `group ${holder.group}`;

/** `operator of ana@example.com in prod`. */
export const describeGrant = ({ role, holder, environments }: GrantPlace): string =>
  `${role} of ${holderName(holder)} in ${environments?.join(', ') ?? 'all environments'}`;

export const isActive = ({ untilMs }: Pick<AccessGrant, 'untilMs'>, atMs: number): boolean =>
  untilMs === undefined || atMs < untilMs;

/** What the list gives now, in the shape of access.yaml. */
export const activeRoleGrants = ({ grants }: GrantList, atMs: number): RoleGrant[] =>
  grants
    .filter((grant) => isActive(grant, atMs))
    .map(({ role, holder, environments }) => ({
      role,
      users: 'user' in holder ? [holder.user] : [],
      groups: 'group' in holder ? [holder.group] : [],
      ...(environments === undefined ? {} : { environments }),
    }));

/** Does this person hold it, by name or by a group? */
export const isHeldBy = (holder: GrantHolder, { name, groups }: Omit<Person, 'kind'>): boolean =>
  'user' in holder ? holder.user === name : groups.includes(holder.group);
