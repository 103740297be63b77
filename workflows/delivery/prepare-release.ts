import type { PlannedChange, PlanStep, ReleasePlan } from '../../activities/kubernetes/port.ts';
import type { LockGrant, RestorableChange } from '../../contracts/delivery/service-lock.ts';
import type { RecordedAlerts } from '../../domain/delivery/alert-rules.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { withSteps } from '../../domain/delivery/release-stage.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { awaitApproval } from './approval.ts';
import { budgetWarnings, checkBudget } from './check-budget.ts';
import { checkChecks } from './check-gates.ts';
import { checkAnalysis } from './query-names.ts';
import { recordPlan } from './release-lock.ts';
import type { ReleaseRun } from './release-run.ts';
import { begin, end, step } from './run-step.ts';
import { captureAlerts, checkAlerts } from './set-up-alerts.ts';

/** A plan that is approved and whose pre-images are stored. */
export interface PreparedRelease {
  plan: ReleasePlan;
  preImageDigest: string;
  forward: PlanStep & { preImageDigest: string };
  /** Present where the release sets up alerts. */
  alerts?: RecordedAlerts;
}

/** Someone may change an object while the plan waits; after so many plans it is a fight. */
const mostPlans = 3;

/**
 * Plan, approval and pre-images. Writes nothing. When an object changed in between, a
 * new plan is made, which needs a new approval.
 */
export const prepareRelease = async (
  run: ReleaseRun,
  grant: LockGrant,
): Promise<PreparedRelease> => {
  for (let made = 1; ; made += 1) {
    const plan = await makePlan(run, grant);
    await awaitApproval(run, plan);
    try {
      return await captureAndRecord(run, plan, grant.epoch);
    } catch (error) {
      const { code } = codedErrorOf(error);
      if (code !== 'PLAN_STALE' || made >= mostPlans) throw error;
      delete run.state.failedStep;
      run.note(`the plan was out of date, plan ${made + 1} is made`);
    }
  }
};

const makePlan = async (run: ReleaseRun, grant: LockGrant): Promise<ReleasePlan> => {
  const { environment, service, release, manifestsDigest, adopt, strategy } = run.input;
  const { epoch, previousManifestsDigest } = grant;
  const { previewHeader } = run.input;
  const pinned = previewHeader === undefined ? {} : { previewHeader };
  const beside = strategy.type === 'rolling' ? {} : { strategy, ...pinned };
  const previous = previousManifestsDigest === undefined ? {} : { previousManifestsDigest };
  begin(run, { stage: 'plan', found: 'plan' });
  await checkAnalysis(run);
  await checkAlerts(run);
  await checkBudget(run);
  await checkChecks(run);
  const made = await run.ports.releases.plan(
    { environment, service, release, manifestsDigest, adopt, epoch, ...beside, ...previous },
    { summary: `plan ${service} ${release}, dry-run forward and back` },
  );
  const plan = { ...made, warnings: [...made.warnings, ...budgetWarnings(run)] };
  run.plan = plan;
  run.state.planDigest = plan.planDigest;
  run.state.stages = withSteps(run.state.stages, plan.changes.flatMap(stagesOf));
  const writes = plan.changes.filter(({ action }) => action !== 'keep').length;
  // The notes themselves are in the plan; the stage table has no room for them.
  const remarks = plan.warnings.length === 0 ? '' : `, ${plan.warnings.length} notes in the plan`;
  const note = `${writes} of ${plan.changes.length} objects change${remarks}`;
  end(run, 'plan', { status: 'done', note });
  return plan;
};

/** Lines of the stage table for one change. */
export const stagesOf = (change: PlannedChange): string[] => {
  if (change.action === 'keep') return [];
  return change.rollout === undefined ? [change.step] : [change.step, rolloutStage(change)];
};

export const rolloutStage = ({ object, phase }: PlannedChange): string =>
  `${phase === 'stop' ? 'drain' : 'roll out'} ${describeRef(object)}`;

const captureAndRecord = async (
  run: ReleaseRun,
  plan: ReleasePlan,
  epoch: number,
): Promise<PreparedRelease> => {
  const { environment, service, release, manifestsDigest } = run.input;
  const { planDigest } = plan;
  const target = { environment, service, release, planDigest, epoch };
  const prepared = await step(run, { stage: 'pre-image' }, async () => {
    const { preImageDigest } = await run.ports.releases.capture(target, {
      summary: 'store the pre-image of every object',
    });
    run.evidence.preImageDigest = preImageDigest;
    const captured = await captureAlerts(run);
    const alerts = captured === undefined ? {} : { alerts: captured };
    const { compensationDeadlineMs, stableMs, notify, drain } = run.input;
    const changes = plan.changes.map(restorable);
    await recordPlan(run, {
      manifestsDigest,
      planDigest,
      preImageDigest,
      changes,
      ...(plan.candidate === undefined ? {} : { candidate: plan.candidate }),
      ...alerts,
      ...(drain === undefined ? {} : { drain }),
      compensationDeadlineMs,
      stableMs,
      notify,
    });
    const forward = { ...target, preImageDigest };
    return { value: { plan, preImageDigest, forward, ...alerts } };
  });
  if (prepared === undefined)
    throw codedFailure({ code: 'INTERNAL', message: 'No pre-image was stored.' });
  return prepared;
};

export const restorable = (change: PlannedChange): RestorableChange => {
  const { index, step: name, object, action, rollout, phase, traffic } = change;
  return {
    index,
    step: name,
    object,
    action,
    rollout: rollout !== undefined,
    ...(phase === undefined ? {} : { phase }),
    ...(traffic === undefined ? {} : { traffic }),
  };
};
