import {
  describeGrant,
  grantKey,
  isActive,
  type AccessGrant,
  type GrantList,
  type GrantPlace,
} from './access-grant.ts';
import type { AccessChange, AskedGrant } from './access-change.ts';
import { quorumOf, type WantedApproval } from './approval.ts';
import type { AccessRules, BreakGlassRule } from './access-rules.ts';

/** What is written of a change, one after the other. */
export type AccessPhase = 'remove' | 'give' | 'end' | 'put back';

export interface WritePlan {
  change: AccessChange;
  list: GrantList;
  /** The list before the first write of this change; only for `put back`. */
  before?: GrantList | undefined;
  breakGlass?: BreakGlassRule | undefined;
  atMs: number;
}

/**
 * The grants after a phase, computed from what somebody asked for and from nothing else. Two changes
 * may give the same role, each until an end of its own: it holds as long as one of them does.
 */
export const grantsAfter = (phase: AccessPhase, plan: WritePlan): AccessGrant[] => {
  const { change, list, before, atMs } = plan;
  if (phase === 'remove') return without(list.grants, change.remove);
  if (phase === 'give') {
    const lasting = list.grants.filter((grant) => grant.untilMs === undefined).map(grantKey);
    const given = change.give
      .map((asked) => givenBy(asked, plan))
      .filter((grant) => grant.untilMs !== undefined || !lasting.includes(grantKey(grant)));
    return [...list.grants.filter((grant) => isActive(grant, atMs)), ...given];
  }
  const rest = list.grants.filter((grant) => grant.change !== change.change);
  if (phase === 'end' || before === undefined) return rest;
  const removed = new Set(change.remove.map(grantKey));
  const present = new Set(rest.map(ownKey));
  const back = before.grants.filter(
    (grant) => removed.has(grantKey(grant)) && !present.has(ownKey(grant)),
  );
  return [...rest, ...back];
};

const ownKey = (grant: AccessGrant): string => JSON.stringify([grantKey(grant), grant.change]);

const without = (grants: readonly AccessGrant[], places: readonly GrantPlace[]): AccessGrant[] => {
  const gone = new Set(places.map(grantKey));
  return grants.filter((grant) => !gone.has(grantKey(grant)));
};

const givenBy = (asked: AskedGrant, { change, breakGlass, atMs }: WritePlan): AccessGrant => {
  const { role, holder, environments } = asked;
  const forMs = lifetimeOf(asked, change, breakGlass);
  return {
    ...{ role, holder, change: change.change },
    ...(environments === undefined ? {} : { environments }),
    ...(forMs === undefined ? {} : { untilMs: atMs + forMs }),
  };
};

/** What is taken by breaking glass always ends. */
export const lifetimeOf = (
  { forMs }: AskedGrant,
  { isBreakGlass }: AccessChange,
  breakGlass: BreakGlassRule | undefined,
): number | undefined => forMs ?? (isBreakGlass ? breakGlass?.longest : undefined);

/** What is other between two versions, in words. */
export const differenceOf = (
  before: readonly AccessGrant[],
  after: readonly AccessGrant[],
): { given: string[]; removed: string[] } => {
  const textOf = (grant: AccessGrant): string =>
    grant.untilMs === undefined
      ? describeGrant(grant)
      : `${describeGrant(grant)} until ${new Date(grant.untilMs).toISOString()}`;
  const had = new Set(before.map(textOf));
  const has = new Set(after.map(textOf));
  return {
    given: [...has].filter((text) => !had.has(text)).sort(),
    removed: [...had].filter((text) => !has.has(text)).sort(),
  };
};

export type ChangeApproval = WantedApproval & { withinMs: number; why: string };

/** Groups that two roles ask for and nobody can be in both by rule: one change cannot have both. */
export const approvalsDisagree = 'disagree';

/** Who has to approve all of it: as many as the strictest role wants, of the groups that all want. */
export const approvalFor = (
  { give, isBreakGlass }: AccessChange,
  { roles }: AccessRules,
): ChangeApproval | typeof approvalsDisagree | undefined => {
  if (isBreakGlass) return undefined;
  const wanted = [...new Set(give.map(({ role }) => role))].flatMap((role) => {
    const approval = roles[role]?.approval;
    return approval === undefined ? [] : [{ role, ...approval }];
  });
  if (wanted.length === 0) return undefined;
  const named = wanted.flatMap(({ groups }) => (groups === undefined ? [] : [groups]));
  const [first, ...rest] = named;
  const groups = first?.filter((group) => rest.every((list) => list.includes(group)));
  if (groups?.length === 0) return approvalsDisagree;
  return {
    quorum: Math.max(...wanted.map(quorumOf)),
    ...(groups === undefined ? {} : { groups }),
    withinMs: Math.min(...wanted.map(({ within }) => within)),
    why: `for ${wanted.map(({ role }) => role).join(', ')}`,
  };
};
