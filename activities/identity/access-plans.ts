import { createHash } from 'node:crypto';
import type { AccessFile } from '../../contracts/shared/access-file.ts';
import { accessQuestion, type AccessChange } from '../../domain/security/access-change.ts';
import { isActive, isHeldBy, type GrantList } from '../../domain/security/access-grant.ts';
import { judgeChange, type AccessSituation } from '../../domain/security/access-rules.ts';
import {
  approvalFor,
  approvalsDisagree,
  grantsAfter,
  lifetimeOf,
  type ChangeApproval,
} from '../../domain/security/access-writes.ts';
import { canonicalJson } from '../../domain/security/canonical-json.ts';
import { effectiveRoles } from '../../domain/security/effective-roles.ts';
import {
  everywhere,
  rolesOf,
  type Person,
  type RoleGrant,
} from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import type { AccessGate } from './access-gate.ts';
import type { AccessSettings } from './access-settings.ts';
import type { AccessPlan, RolesOf } from './port.ts';
import { unreachableApproval } from './reachable-approvals.ts';

type Managed = NonNullable<AccessFile['managed']>;

/** @throws ACCESS_CONFLICT with the rule, the roles in question and the smallest ways out */
export const planChange = async (
  gate: AccessGate,
  change: AccessChange,
  atMs: number,
): Promise<AccessPlan> => {
  const settings = await gate.settings();
  const situation = await situationOf(gate, atMs);
  const managed = managedBy(settings);
  if (change.isCertification) return certificationPlan(managed, situation);
  const { give, remove } = judged(change, managed, situation);
  const isChange = give.length + remove.length > 0;
  const approval = isChange ? approvalWanted(settings, change) : undefined;
  await refuseLoneChange(gate, change, approval);
  refuseWithoutManager(settings, change, situation);
  const endsAfterMs = endOf(change, managed);
  const after = rolesAfter(change, situation, managed);
  return {
    planDigest: planDigestOf(settings, change),
    ...{ give, remove },
    before: rolesTouched(change, situation, situation.list),
    after: rolesTouched(change, situation, after),
    ...(approval === undefined ? {} : { approval }),
    ...(change.isBreakGlass ? { review: reviewOf(managed) } : {}),
    ...(endsAfterMs === undefined ? {} : { endsAfterMs }),
    targets: managed.targets.map(({ name }) => name),
  };
};

/** The same once more before roles are given: another change may have come between. */
export const refuseConflict = async (
  gate: AccessGate,
  change: AccessChange,
  atMs: number,
): Promise<void> => {
  const managed = managedBy(await gate.settings());
  judged(change, managed, await situationOf(gate, atMs));
};

/** By the rules as they are now. */
export const approvalWanted = (
  settings: AccessSettings,
  change: AccessChange,
): ChangeApproval | undefined => {
  const wanted = approvalFor(change, managedBy(settings));
  if (wanted !== approvalsDisagree) return wanted;
  throw conflict(change, [
    'approval: its roles are approved by different groups; ask for them in changes of their own',
  ]);
};

const managedBy = ({ managed }: AccessSettings): Managed => {
  if (managed !== undefined) return managed;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: 'Access is not managed here: access.yaml has no `managed`. Nothing was changed.',
    next: 'Add `managed` to access.yaml; docs/access.md shows one.',
    subject: 'managed',
  });
};

const situationOf = async (gate: AccessGate, atMs: number): Promise<AccessSituation> => {
  const { users, grants: standing } = await gate.settings();
  const people = [...users.values()].filter(({ isDisabled }) => !isDisabled);
  return { people, standing, list: await (await gate.grants()).current(), atMs };
};

const judged = (change: AccessChange, managed: Managed, situation: AccessSituation) => {
  const verdict = judgeChange(change, managed, situation);
  if (verdict.isAllowed) return verdict;
  const problems = verdict.problems.map(({ rule, why }) => `${rule}: ${why}`);
  throw conflict(change, problems, verdict.fixes);
};

const conflict = (
  { change }: AccessChange,
  problems: readonly string[],
  fixes: readonly string[] = [],
): Error =>
  codedFailure({
    code: 'ACCESS_CONFLICT',
    message: `The access change ${change} breaks ${problems.length === 1 ? 'a rule' : 'rules'}: ${problems.join('; ')}. Nothing was changed.`,
    next:
      fixes.length === 0
        ? 'Ask for what the rules of access.yaml allow; a role that it gives itself is taken away there.'
        : `Ask for one of these instead: ${fixes.map((fix) => `(${fix})`).join(' or ')}.`,
    subject: change,
  });

const refuseLoneChange = async (
  gate: AccessGate,
  change: AccessChange,
  approval: ChangeApproval | undefined,
): Promise<void> => {
  if (approval === undefined) return;
  const question = { ...accessQuestion(change), action: 'manageAccess.approve' };
  const why = await unreachableApproval(gate, { wanted: approval, question, atMs: Date.now() });
  if (why !== undefined) throw conflict(change, [`approval: ${why}`]);
};

/** A change after which nobody could make the next one has no way back. */
const refuseWithoutManager = (
  { policies }: AccessSettings,
  change: AccessChange,
  { people, standing, list, atMs }: AccessSituation,
): void => {
  if (change.remove.length === 0) return;
  const lasting = grantsAfter('remove', { change, list, atMs }).filter(
    ({ untilMs }) => untilMs === undefined,
  );
  const grants = [...standing, ...roleGrantsOf({ version: 0, grants: lasting }, atMs)];
  const access = { users: [], groups: [], isBreakGlass: false };
  const question = { action: 'manageAccess.start', environment: everywhere, service: '-', access };
  const canManage = people.some(
    (person) =>
      policies.decide(person, question, {
        roles: rolesOf(grants, person, everywhere),
        freeze: undefined,
      }).isAllowed,
  );
  if (!canManage) throw conflict(change, ['last-manager: nobody could change access after it']);
};

const roleGrantsOf = ({ grants }: GrantList, atMs: number): (RoleGrant & { untilMs?: number })[] =>
  grants
    .filter((grant) => isActive(grant, atMs))
    .map(({ role, holder, environments, untilMs }) => ({
      role,
      users: 'user' in holder ? [holder.user] : [],
      groups: 'group' in holder ? [holder.group] : [],
      ...(environments === undefined ? {} : { environments }),
      ...(untilMs === undefined ? {} : { untilMs }),
    }));

const rolesAfter = (
  change: AccessChange,
  { list, atMs }: AccessSituation,
  { breakGlass }: Managed,
): GrantList => {
  const removed = grantsAfter('remove', { change, list, atMs });
  const given = grantsAfter('give', {
    ...{ change, list: { ...list, grants: removed }, atMs, breakGlass },
  });
  return { ...list, grants: given };
};

const rolesTouched = (
  { give, remove }: AccessChange,
  { people, standing, atMs }: AccessSituation,
  list: GrantList,
): RolesOf[] => {
  const touched = people.filter((person: Person) =>
    [...give, ...remove].some(({ holder }) => isHeldBy(holder, person)),
  );
  return effectiveRoles(touched, [...standing, ...roleGrantsOf(list, atMs)]);
};

const certificationPlan = (
  { certification, targets }: Managed,
  { people, standing, list, atMs }: AccessSituation,
): AccessPlan => {
  const roles = effectiveRoles(people, [...standing, ...roleGrantsOf(list, atMs)]);
  const { groups, within } = certification;
  return {
    planDigest: digestOf({ certified: roles }),
    ...{ give: [], remove: [], before: roles, after: roles },
    approval: {
      ...{ quorum: 1, withinMs: within, why: 'somebody has to confirm that this is still right' },
      ...(groups === undefined ? {} : { groups }),
    },
    targets: targets.map(({ name }) => name),
  };
};

const reviewOf = ({ breakGlass }: Managed): NonNullable<AccessPlan['review']> => ({
  quorum: 1,
  withinMs: breakGlass?.reviewWithin ?? 0,
  ...(breakGlass?.groups === undefined ? {} : { groups: breakGlass.groups }),
});

/** One change has one end: that of the grant which ends first. */
const endOf = (change: AccessChange, { breakGlass }: Managed): number | undefined => {
  const ends = change.give.flatMap((asked) => lifetimeOf(asked, change, breakGlass) ?? []);
  return ends.length === 0 ? undefined : Math.min(...ends);
};

/** Of what was asked for and who has to approve it: what people approve. */
export const planDigestOf = (
  settings: AccessSettings,
  { change, give, remove, isBreakGlass, ...rest }: AccessChange,
): string => {
  const approval = approvalWanted(settings, { change, give, remove, isBreakGlass, ...rest });
  return digestOf({ change, give, remove, isBreakGlass, approval });
};

const digestOf = (value: unknown): string =>
  `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
