import {
  describeGrant,
  grantKey,
  isActive,
  isHeldBy,
  type AccessGrant,
  type GrantList,
  type GrantPlace,
} from './access-grant.ts';
import { describeChange, type AccessChange, type AskedGrant } from './access-change.ts';
import type { WantedApproval } from './approval.ts';
import type { Person, RoleGrant } from './permission.ts';
import { separationConflicts, type HeldGrant, type Separation } from './separation.ts';
import { smallestFixes } from './smallest-fixes.ts';

/** By which rules roles are given: `managed` of access.yaml. */
export interface AccessRules {
  roles: Readonly<Record<string, ManagedRole>>;
  separations: readonly Separation[];
  breakGlass?: BreakGlassRule | undefined;
}

export interface ManagedRole {
  approval?: (WantedApproval & { within: number }) | undefined;
  longest?: number | undefined;
}

export interface BreakGlassRule {
  roles: readonly string[];
  longest: number;
  reviewWithin: number;
  groups?: readonly string[] | undefined;
}

/** Who there is and what they have. */
export interface AccessSituation {
  /** Everyone of the directory who has not left. */
  people: readonly Person[];
  /** Of access.yaml. */
  standing: readonly RoleGrant[];
  list: GrantList;
  atMs: number;
}

/** Why a change cannot be made, and what could be asked for instead. */
export interface ChangeProblem {
  /** Name of the rule, e.g. `self-grant`. */
  rule: string;
  why: string;
}

export type ChangeVerdict =
  | { isAllowed: true; give: readonly AskedGrant[]; remove: readonly GrantPlace[] }
  | { isAllowed: false; problems: readonly ChangeProblem[]; fixes: readonly string[] };

/** Holds a change against the rules; what is given or gone already is left out of it. */
export const judgeChange = (
  change: AccessChange,
  rules: AccessRules,
  situation: AccessSituation,
): ChangeVerdict => {
  const { give, remove } = change;
  const simple = [
    ...give.flatMap((grant) => giveProblems(grant, change, { rules, situation })),
    ...remove.flatMap((place) => removeProblems(place, situation)),
  ];
  const conflicts = conflictsOf({ give, remove }, rules, situation);
  if (simple.length === 0 && conflicts.length === 0) {
    return { isAllowed: true, give: give.filter((grant) => isNews(grant, situation)), remove };
  }
  const fixes = conflicts.length === 0 ? [] : fixesOf(change, rules, situation);
  return { isAllowed: false, problems: [...simple, ...conflicts], fixes };
};

/** The same role without an end, twice, is one. */
const isNews = (grant: AskedGrant, { list, atMs }: AccessSituation): boolean =>
  !list.grants.some(
    (given) =>
      grantKey(given) === grantKey(grant) &&
      isActive(given, atMs) &&
      given.untilMs === undefined &&
      grant.forMs === undefined,
  );

interface Judging {
  rules: AccessRules;
  situation: AccessSituation;
}

const giveProblems = (
  grant: AskedGrant,
  change: AccessChange,
  { rules, situation }: Judging,
): ChangeProblem[] => {
  const what = describeGrant(grant);
  const role = Object.hasOwn(rules.roles, grant.role) ? rules.roles[grant.role] : undefined;
  const problems: ChangeProblem[] = [];
  if (role === undefined) {
    const known = Object.keys(rules.roles).sort().join(', ');
    problems.push({
      rule: 'unknown-role',
      why: `${what}: the roles that can be given are ${known}`,
    });
  }
  if (!isKnown(grant, situation)) {
    problems.push({ rule: 'unknown-holder', why: `${what}: nobody of the directory is that` });
  }
  if (change.isBreakGlass) return [...problems, ...breakGlassProblems(grant, change, rules)];
  if (isForAsker(grant, change, situation)) {
    problems.push({ rule: 'self-grant', why: `${what}: nobody gives a role to themselves` });
  }
  return [...problems, ...lengthProblems(grant, role?.longest)];
};

const isKnown = ({ holder }: AskedGrant, { people }: AccessSituation): boolean =>
  people.some((person) => isHeldBy(holder, person));

const isForAsker = (
  { holder }: AskedGrant,
  { requestedBy }: AccessChange,
  { people }: AccessSituation,
): boolean => {
  const asker = people.find(({ name }) => name === requestedBy.actor);
  return isHeldBy(holder, asker ?? { name: requestedBy.actor, groups: [] });
};

const lengthProblems = (grant: AskedGrant, longestMs: number | undefined): ChangeProblem[] => {
  if (longestMs === undefined || (grant.forMs ?? Infinity) <= longestMs) return [];
  const why = `${describeGrant(grant)}: it can be given for ${hours(longestMs)} at the most`;
  return [{ rule: 'longest', why }];
};

const hours = (ms: number): string => `${String(Math.round(ms / 36_000) / 100)} h`;

const breakGlassProblems = (
  grant: AskedGrant,
  { requestedBy }: AccessChange,
  { breakGlass }: AccessRules,
): ChangeProblem[] => {
  const what = describeGrant(grant);
  if (breakGlass === undefined) {
    return [{ rule: 'break-glass', why: `${what}: access.yaml lets nobody break the glass` }];
  }
  const problems: ChangeProblem[] = [];
  if (!breakGlass.roles.includes(grant.role)) {
    const roles = breakGlass.roles.join(', ');
    problems.push({ rule: 'break-glass', why: `${what}: what can be taken so is ${roles}` });
  }
  if (!('user' in grant.holder) || grant.holder.user !== requestedBy.actor) {
    problems.push({ rule: 'break-glass', why: `${what}: it is taken for oneself alone` });
  }
  return [
    ...problems,
    ...lengthProblems({ ...grant, forMs: grant.forMs ?? 0 }, breakGlass.longest),
  ];
};

const removeProblems = (place: GrantPlace, situation: AccessSituation): ChangeProblem[] => {
  const key = grantKey(place);
  if (situation.list.grants.some((given) => grantKey(given) === key)) return [];
  const why = situation.standing.some((grant) => isSame(grant, place))
    ? `${describeGrant(place)}: access.yaml gives it; take it out there`
    : `${describeGrant(place)}: nobody gave it`;
  return [{ rule: 'not-given', why }];
};

const isSame = ({ role, users, groups, environments }: RoleGrant, place: GrantPlace): boolean =>
  role === place.role &&
  ('user' in place.holder
    ? users.includes(place.holder.user)
    : groups.includes(place.holder.group)) &&
  grantKey({ ...place, environments: environments ?? ['*'] }) ===
    grantKey({ ...place, environments: place.environments ?? ['*'] });

type Edits = Pick<AccessChange, 'give' | 'remove'>;

/** Conflicts that the change makes; those that are there already are not its fault. */
const conflictsOf = (
  { give, remove }: Edits,
  { separations }: AccessRules,
  situation: AccessSituation,
): ChangeProblem[] => {
  const before = heldNow(situation);
  const gone = new Set(remove.map(grantKey));
  const after = [...before.filter(({ key }) => !gone.has(key)), ...give.map(heldOf)];
  const known = new Set(
    separationConflicts(before, separations, situation.people).map(({ why }) => why),
  );
  return separationConflicts(after, separations, situation.people).filter(
    ({ why }) => !known.has(why),
  );
};

const heldOf = (place: GrantPlace): HeldGrant => ({ ...place, key: grantKey(place) });

const heldNow = ({ standing, list, atMs }: AccessSituation): HeldGrant[] => [
  ...standing.flatMap(({ role, users, groups, environments }) =>
    [...users.map((user) => ({ user })), ...groups.map((group) => ({ group }))].map((holder) => ({
      role,
      holder,
      key: 'access.yaml',
      ...(environments === undefined ? {} : { environments }),
    })),
  ),
  ...list.grants.filter((grant) => isActive(grant, atMs)).map(heldOf),
];

const fixesOf = (
  change: AccessChange,
  rules: AccessRules,
  situation: AccessSituation,
): string[] => {
  const given = situation.list.grants.filter((grant: AccessGrant) =>
    isActive(grant, situation.atMs),
  );
  return smallestFixes(
    change,
    given,
    (edits) => conflictsOf(edits, rules, situation).length === 0,
  ).map((edits) => describeChange({ ...change, ...edits }));
};
