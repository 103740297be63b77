import { CancellationScope, condition, patched } from '@temporalio/workflow';
import type {
  PlannedChange,
  RolloutObservation,
  WriteReceipt,
} from '../../activities/kubernetes/port.ts';
import type { RolloutPhase } from '../../domain/delivery/candidate.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import { finishWrite } from '../runtime/run-control.ts';
import type { PreparedRelease } from './prepare-release.ts';
import { restorable, rolloutStage } from './prepare-release.ts';
import { warrantOf } from './release-run.ts';
import type { ReleaseRun } from './release-run.ts';
import { forwardReturn, readyPodsPatch, returnByReadyPods } from './return-by-ready-pods.ts';
import { step } from './run-step.ts';
import { awaitServing, endpointsOf } from './serving.ts';
import type { RolledOut } from './serving.ts';
import type { WayBack } from './unwind-release.ts';
import { undoOf } from './unwind-release.ts';

export interface RollOutTask {
  run: ReleaseRun;
  prepared: PreparedRelease;
  back: WayBack;
}

/**
 * Carries out one phase of the plan in its order, or the whole of a plan that updates everything
 * in place and has no phases. Each write has its compensation recorded before.
 */
export const rollOut = async (
  { run, prepared, back }: RollOutTask,
  phase?: RolloutPhase,
): Promise<RolledOut[]> => {
  const { plan, forward } = prepared;
  const rolledOut: RolledOut[] = [];
  for (const change of plan.changes) {
    if (change.action === 'keep' || change.phase !== phase) continue;
    run.saga.record(
      { step: change.step, service: run.input.service },
      undoOf(back, restorable(change)),
    );
    const receipt = await step(run, { stage: change.step, found: 'write' }, () =>
      change.traffic === undefined
        ? writeChange(run, forward, change)
        : moveTraffic(run, prepared, { ...change, traffic: change.traffic }),
    );
    if (receipt === undefined || change.rollout === undefined) continue;
    const name = { stage: rolloutStage(change), found: 'rollout', skippable: true };
    const observation = await step(run, name, () => watchRollout(run, change, receipt));
    if (observation !== undefined) {
      rolledOut.push({ services: change.rollout.services, observation });
    }
  }
  return rolledOut;
};

const writeChange = async (
  run: ReleaseRun,
  forward: PreparedRelease['forward'],
  { index, step: summary }: PlannedChange,
): Promise<{ value: WriteReceipt; note: string }> => {
  const value = await finishWrite(run.waits.writeGraceMs, () =>
    run.ports.releases.write({ ...forward, index, warrant: warrantOf(run) }, { summary }),
  );
  return { value, note: value.outcome };
};

/** Only a workload that is ready gets the traffic, and the step ends when it serves alone. */
const moveTraffic = async (
  run: ReleaseRun,
  prepared: PreparedRelease,
  change: PlannedChange & { traffic: NonNullable<PlannedChange['traffic']> },
): Promise<{ value: WriteReceipt; note: string }> => {
  const { services, after } = change.traffic;
  const ready = await awaitServing(run, after);
  const observation = (await awaitReturnable(run, prepared, change)) ?? ready;
  const { value } = await writeChange(run, prepared.forward, change);
  const { endpoints } = await endpointsOf(run, { services, observation });
  return { value, note: `${endpoints} endpoints, all of ${after.name}` };
};

/** Services move all of their traffic at once: who gets it back must have the pods for all of it. */
const awaitReturnable = async (
  run: ReleaseRun,
  prepared: PreparedRelease,
  { phase }: PlannedChange,
): Promise<RolloutObservation | undefined> => {
  const { candidate } = prepared.plan;
  if (phase !== 'return' || candidate === undefined || !patched(readyPodsPatch)) return undefined;
  return returnByReadyPods(forwardReturn(run, prepared, candidate), () => Promise.resolve(true));
};

/** A rolling update that is watched, and whether it stands still by our `spec.paused`. */
interface Rollout {
  run: ReleaseRun;
  change: PlannedChange;
  generation: number;
  isPaused: boolean;
}

const watchRollout = async (
  run: ReleaseRun,
  change: PlannedChange,
  { generation }: WriteReceipt,
): Promise<{ value: RolloutObservation; note: string }> => {
  const rollout: Rollout = { run, change, generation, isPaused: false };
  const scope = new CancellationScope({ cancellable: true });
  const value = await scope.run(async () => {
    try {
      return await Promise.race([awaitReady(rollout), followPause(rollout)]);
    } finally {
      scope.cancel();
    }
  });
  const { readyReplicas, wantedReplicas } = value;
  const note =
    wantedReplicas === 0 ? 'no pods left' : `${readyReplicas} of ${wantedReplicas} pods ready`;
  return { value, note };
};

/** Stops the rolling update while the run is paused. Ends only by failing. */
const followPause = async (rollout: Rollout): Promise<never> => {
  const { run, change } = rollout;
  const { environment, service } = run.input;
  const { epoch = 0 } = run.state;
  for (;;) {
    await condition(() => run.control.isPaused() !== rollout.isPaused);
    const paused = run.control.isPaused();
    const summary = `${paused ? 'pause' : 'resume'} ${describeRef(change.object)}`;
    await run.ports.workloads.setPaused(
      { environment, service, object: change.object, paused, epoch },
      { summary },
    );
    rollout.isPaused = paused;
  }
};

/** Watching goes on in a pause, one activity at a time for as long as this. */
const pausedWatchMs = 3_600_000;

const awaitReady = async (rollout: Rollout): Promise<RolloutObservation> => {
  const { run, change } = rollout;
  const startedAtMs = run.control.elapsedMs();
  for (;;) {
    const paused = run.control.isPaused();
    const deadlineMs = change.rollout?.progressDeadlineMs ?? 0;
    const leftMs = Math.max(1_000, deadlineMs - (run.control.elapsedMs() - startedAtMs));
    const seen = await watchUntilSwitch(rollout, paused ? pausedWatchMs : leftMs);
    if (seen === undefined) continue;
    // Pods may become ready before a pause takes hold: the run then waits here to be resumed.
    await condition(() => !run.control.isPaused() && !rollout.isPaused);
    return seen;
  }
};

/** Watches until ready, or until the run is paused or resumed, which changes the deadline. */
const watchUntilSwitch = async (
  rollout: Rollout,
  deadlineMs: number,
): Promise<RolloutObservation | undefined> => {
  const { run } = rollout;
  const paused = run.control.isPaused();
  const scope = new CancellationScope({ cancellable: true });
  try {
    return await scope.run(() =>
      Promise.race([
        observe(rollout, deadlineMs),
        condition(() => run.control.isPaused() !== paused).then(() => undefined),
      ]),
    );
  } catch (error) {
    if (paused && codedErrorOf(error).code === 'ROLLOUT_DEADLINE') return undefined;
    throw error;
  } finally {
    scope.cancel();
  }
};

const observe = (
  { run, change, generation }: Rollout,
  deadlineMs: number,
): Promise<RolloutObservation> => {
  const { environment, service, stableMs } = run.input;
  const { object } = change;
  return run.ports.workloads.awaitRollout(
    { environment, service, object, generation, deadlineMs, stableMs },
    { summary: `wait until ${describeRef(object)} runs the new version`, waitMs: deadlineMs },
  );
};
