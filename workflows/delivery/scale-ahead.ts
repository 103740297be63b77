import {
  ActivityFailure,
  CancellationScope,
  isCancellation,
  patched,
  sleep,
} from '@temporalio/workflow';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { nextWeight, scaleAheadMs } from '../../domain/delivery/rollout-plan.ts';
import type { CandidateTask } from './carry-out.ts';
import { scaleFor } from './shift-traffic.ts';

/**
 * Starts the pods of the next share before the stop is over, so that they are ready when it ends
 * well. What cannot be started here is asked for again by the shift, which then says why.
 */
export const whileScalingAhead = async (
  task: CandidateTask,
  forMs: number,
  watch: () => Promise<void>,
): Promise<void> => {
  const { plan, state } = task.rollout;
  const weightPercent = nextWeight(plan, state);
  // Runs from before pods were started early replay without it.
  if (weightPercent === undefined || !patched('scale-ahead')) return watch();
  const scope = new CancellationScope({ cancellable: true });
  const start = async (): Promise<void> => {
    const waitMs = Math.max(0, forMs - scaleAheadMs(firstPodsTookMs(task)));
    await sleep(waitMs, { summary: `until the pods for ${weightPercent} % start` });
    if (!task.run.control.isPaused()) await scaleFor(task, weightPercent);
  };
  const started = scope.run(start).catch(ignoreWhatTheShiftRepeats);
  try {
    await watch();
  } finally {
    scope.cancel();
    await started;
  }
};

const ignoreWhatTheShiftRepeats = (error: unknown): void => {
  if (!(isCancellation(error) || error instanceof ActivityFailure)) throw error;
};

const firstPodsTookMs = ({ run, candidate }: CandidateTask): number => {
  const name = `roll out ${describeRef(candidate.workload)}`;
  const { startedAtMs = 0, endedAtMs = 0 } =
    run.state.stages.find((stage) => stage.name === name) ?? {};
  return endedAtMs - startedAtMs;
};
