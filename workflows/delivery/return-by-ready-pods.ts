import { isCancellation } from '@temporalio/workflow';
import type { PlanStep, RolloutObservation } from '../../activities/kubernetes/port.ts';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { returnMove } from '../../domain/delivery/traffic-return.ts';
import type { ReturnMove } from '../../domain/delivery/traffic-return.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import type { Ports } from '../runtime/ports.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { ReleaseRun } from './release-run.ts';

/** Runs that began before the ready pods were counted replay without it. */
export const readyPodsPatch = 'return-by-ready-pods';

/** The stable workload gets its traffic back. */
interface TrafficReturn {
  ports: Ports;
  /** Under the epoch of whoever returns it. */
  step: PlanStep;
  candidate: Candidate;
  /** Pods that all the traffic needs by the plan. */
  plannedPods: number;
  deadlineMs: number;
}

/** The stable workload with its traffic, and how many pods it was given for that. */
type Returned = RolloutObservation & { raisedTo?: number };

/**
 * Gives the stable workload as much of the traffic as its ready pods carry, more as more of them
 * are ready, and everything in the end; pods that someone took from it meanwhile are asked for
 * again. `give` lets the candidate keep at most that share; false ends it.
 */
export const returnByReadyPods = async (
  returned: TrafficReturn,
  give: (weightPercent: number) => Promise<boolean>,
): Promise<Returned> => {
  const { candidate, plannedPods } = returned;
  const endsAtMs = Date.now() + returned.deadlineMs;
  const looked = await Promise.all([
    awaitPods(returned, { leastReady: 0, deadlineMs: returned.deadlineMs }),
    candidatePods(returned),
  ]);
  const beside = { givenPods: candidate.replicas, readyPods: looked[1] };
  let stable: Returned = looked[0];
  for (let isRaised = false; ; isRaised = true) {
    const { wantedReplicas: wantedPods, readyReplicas: readyPods } = stable;
    const pods = { stable: { wantedPods, readyPods }, candidate: beside };
    const move = returnMove({ plannedPods, ...pods, isRaised });
    if (move.weightPercent < 100 && !(await give(move.weightPercent))) return stable;
    if (move.nextAtPods === undefined) return stable;
    const raised = await raise(returned, move.raiseTo);
    const more = await awaitMore(returned, move, Math.max(1_000, endsAtMs - Date.now()));
    stable = { ...stable, ...more, ...raised };
  }
};

const awaitPods = (
  { ports, step: { environment, service }, candidate: { stable } }: TrafficReturn,
  { leastReady, deadlineMs }: { leastReady: number; deadlineMs: number },
): Promise<RolloutObservation> =>
  ports.workloads.awaitRollout(
    { environment, service, object: stable, generation: 0, leastReady, deadlineMs, stableMs: 0 },
    { summary: `can ${stable.name} carry the traffic?`, waitMs: deadlineMs },
  );

const awaitMore = async (
  returned: TrafficReturn,
  { weightPercent, nextAtPods = 0 }: ReturnMove,
  deadlineMs: number,
): Promise<RolloutObservation> => {
  try {
    return await awaitPods(returned, { leastReady: nextAtPods, deadlineMs });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { workload, stable } = returned.candidate;
    const { code, message } = codedErrorOf(error);
    const stays = `${workload.name} keeps up to ${weightPercent} % of the traffic until ${stable.name} has ${nextAtPods} ready pods.`;
    throw codedFailure({ code, message: `${message} ${stays}`, subject: describeRef(stable) });
  }
};

const raise = async (
  { ports, step, candidate: { stable } }: TrafficReturn,
  replicas: number | undefined,
): Promise<Pick<Returned, 'raisedTo'>> => {
  if (replicas === undefined) return {};
  const { changed } = await ports.workloads.scale(
    { ...step, object: stable, replicas },
    { summary: `${replicas} pods of ${stable.name} for all the traffic` },
  );
  return changed ? { raisedTo: replicas } : {};
};

/** For the reader of the ledger: the number of pods was not ours, and is not as someone left it. */
export const raisedText = ({ raisedTo, wantedReplicas }: Returned): string =>
  raisedTo === undefined ? '' : `; it had too few pods for that and got ${wantedReplicas}`;

/** The way back never depends on the candidate: it is looked at, for no longer than this. */
const candidateLookMs = 5_000;

const candidatePods = async ({
  ports,
  step: { environment, service },
  candidate: { workload: object },
}: TrafficReturn): Promise<number | undefined> => {
  const look = { generation: 0, leastReady: 0, deadlineMs: candidateLookMs, stableMs: 0 };
  try {
    const { readyReplicas } = await ports.workloads.awaitRollout(
      { environment, service, object, ...look },
      { summary: `ready pods of ${object.name}`, scheduleToCloseMs: candidateLookMs },
    );
    return readyReplicas;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return codedErrorOf(error).code === 'ROLLOUT_FAILED' ? 0 : undefined;
  }
};

/** The updated workload gets the traffic back from the candidate, both with the new version. */
export const forwardReturn = (
  run: ReleaseRun,
  { plan, forward }: PreparedRelease,
  candidate: Candidate,
): TrafficReturn => {
  const name = describeRef(candidate.stable);
  const updated = plan.changes.find(
    ({ phase, object }) => phase === 'update' && describeRef(object) === name,
  )?.rollout;
  return {
    ports: run.ports,
    step: forward,
    candidate,
    plannedPods: updated?.replicas ?? candidate.replicas,
    deadlineMs: updated?.progressDeadlineMs ?? run.waits.shiftDeadlineMs,
  };
};

/** The old version gets the traffic back. */
export const backReturn = (
  { ports, step, candidate }: Pick<TrafficReturn, 'ports' | 'step' | 'candidate'>,
  deadlineMs: number,
): TrafficReturn => ({ ports, step, candidate, plannedPods: candidate.replicas, deadlineMs });
