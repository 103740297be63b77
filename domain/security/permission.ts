/** Someone who is known: from the directory, from the claims of a token, or both. */
export interface Person {
  /** As evidence names them, e.g. `ana@example.com`. */
  name: string;
  kind: 'person' | 'service';
  groups: readonly string[];
}

/** Gives a role to users and groups, in some environments or in all. */
export interface RoleGrant {
  role: string;
  users: readonly string[];
  groups: readonly string[];
  /** Absent: in all environments. */
  environments?: readonly string[] | undefined;
}

/** A time in which nothing new goes to an environment. */
export interface Freeze {
  environment: string;
  fromMs: number;
  untilMs: number;
  reason: string;
}

/** What someone wants to do. */
export interface PermissionQuestion {
  /** `deployService.start`: a use case and one of its verbs. */
  action: string;
  environment: string;
  service: string;
  /** Who asked for the release that the action is about. */
  requestedBy?: string;
  /** Approvals that the release will wait for. */
  approvals?: number;
  isHotfix?: boolean;
  /** Set where it is about a change of access; `service` is the name of the change then. */
  access?: AccessQuestion;
}

/** Whom a change of access is for: they do not decide about it. */
export interface AccessQuestion {
  users: readonly string[];
  groups: readonly string[];
  isBreakGlass: boolean;
}

/** The environment of a change of access that is for more than one: only roles for all of them hold there. */
export const everywhere = '*';

export interface PermissionDecision {
  isAllowed: boolean;
  /** Ids of the policies that decided; empty where none said yes. */
  decidedBy: readonly string[];
}

export const rolesOf = (
  grants: readonly RoleGrant[],
  { name, groups }: Person,
  environment: string,
): string[] => {
  const held = grants.filter(
    (grant) =>
      (grant.environments?.includes(environment) ?? true) &&
      (grant.users.includes(name) || grant.groups.some((group) => groups.includes(group))),
  );
  return [...new Set(held.map(({ role }) => role))].sort();
};

export const freezeAt = (
  freezes: readonly Freeze[],
  environment: string,
  atMs: number,
): Freeze | undefined =>
  freezes.find(
    (freeze) =>
      freeze.environment === environment && freeze.fromMs <= atMs && atMs < freeze.untilMs,
  );

/** What was decided, as the text of an error tells it. */
export const describeRefusal = (
  person: Person,
  question: PermissionQuestion,
  { decidedBy }: PermissionDecision,
): string => {
  const { action, environment, service, access } = question;
  const why =
    decidedBy.length === 0
      ? 'no policy permits it'
      : `forbidden by the ${decidedBy.length === 1 ? 'policy' : 'policies'} ${decidedBy.join(', ')}`;
  const what =
    access === undefined ? `${service} in ${environment}` : `the access change ${service}`;
  return `${person.name} may not ${action} on ${what}: ${why}.`;
};
