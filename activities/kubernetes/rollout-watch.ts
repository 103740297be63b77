import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import {
  deadlineFailure,
  rolloutFailure,
  type RolloutFailure,
} from '../../domain/delivery/rollout-failure.ts';
import {
  isRolloutComplete,
  observeRollout,
  restartsOf,
  type RolloutSnapshot,
} from '../../domain/delivery/rollout-readiness.ts';
import { isHeldStill } from '../../domain/delivery/rollout-pause.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled, type Attempt } from './activity-attempt.ts';
import { openChangeFeed } from './change-feed.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { collections, listObjects, readObject } from './object-access.ts';
import { lastLogLines } from './pod-logs.ts';
import type { RolloutObservation, RolloutRequest } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { labelSelectorOf } from './replica-sets.ts';
import { deleteStuckPods } from './stuck-pods.ts';
import { activeVersion, isOfVersion, isOfWorkload, versionsOf } from './workload-versions.ts';

/** Also the longest time for which a dead watch goes unnoticed, and the beat of the heart. */
const longestSilenceMs = 1_000;

/** A node may be on its way; after this an unschedulable pod counts as stuck. */
const unschedulableGraceMs = 30_000;

const readWorkload = async (
  cluster: Cluster,
  request: Pick<RolloutRequest, 'object'>,
): Promise<KubernetesObject> => {
  const workload = await readObject(cluster, request.object);
  if (workload !== undefined) return workload;
  const subject = describeRef(request.object);
  throw codedFailure({
    code: 'ROLLOUT_FAILED',
    message: `${subject} is not there any more.`,
    subject,
  });
};

const readSnapshot = async (
  cluster: Cluster,
  request: Pick<RolloutRequest, 'object'>,
): Promise<RolloutSnapshot> => {
  const workload = await readWorkload(cluster, request);
  const labelSelector = labelSelectorOf(workload);
  const [versions, { items }] = await Promise.all([
    versionsOf(cluster, workload),
    listObjects(cluster, collections.pods, { labelSelector }),
  ]);
  const activeSet = activeVersion(workload, versions);
  const isActive = isOfVersion(workload, activeSet);
  const all = items.filter(isOfWorkload(workload, versions));
  const others = all.filter((pod) => !isActive(pod));
  return { workload, activeSet, pods: all.filter(isActive), others };
};

/** One look at a workload, whatever state it is in. @throws ROLLOUT_FAILED where it is gone */
export const observeWorkload = async (
  cluster: Cluster,
  object: ObjectRef,
): Promise<RolloutObservation> => observeRollout(await readSnapshot(cluster, { object }));

const raise = async (
  cluster: Cluster,
  request: RolloutRequest,
  failure: RolloutFailure,
): Promise<never> => {
  const { container } = failure;
  const lines = container === undefined ? [] : await lastLogLines(cluster, container);
  const log = lines.length === 0 ? '' : `\nLast lines of its log:\n${lines.join('\n')}`;
  throw codedFailure({
    code: failure.code,
    message: `${describeRef(request.object)}: ${failure.reason}${log}`,
    subject: describeRef(request.object),
  });
};

const describePods = ({ pods }: RolloutObservation): string => {
  const waiting = pods.filter((pod) => !pod.ready).map(({ name, reason }) => `${name} (${reason})`);
  return waiting.length === 0 ? 'no pod is known to fail' : waiting.slice(0, 5).join(', ');
};

/** Keeps account of time: how long pods are ready without a restart, and how long we wait. */
interface Stopwatch {
  readonly deadlineAtMs: number;
  /** While paused, Kubernetes does not progress, and the deadline stands still. */
  pausedMs: number;
  lookedAtMs: number;
  ready: { sinceMs: number; restarts: number } | undefined;
}

const tick = (watch: Stopwatch, snapshot: RolloutSnapshot, nowMs: number): void => {
  if (isHeldStill(snapshot.workload)) watch.pausedMs += nowMs - watch.lookedAtMs;
  watch.lookedAtMs = nowMs;
};

const noteReadiness = (watch: Stopwatch, snapshot: RolloutSnapshot, nowMs: number): void => {
  const restarts = restartsOf(snapshot.pods);
  const flapped = watch.ready !== undefined && restarts > watch.ready.restarts;
  if (watch.ready === undefined || flapped) watch.ready = { sinceMs: nowMs, restarts };
};

interface Look {
  cluster: Cluster;
  request: RolloutRequest;
  watch: Stopwatch;
  attempt: Attempt;
}

/** One look: the observation when the rollout is complete and stable, else undefined. */
const look = async ({ cluster, request, watch, attempt }: Look) => {
  const snapshot = await readSnapshot(cluster, request);
  const observation = observeRollout(snapshot);
  attempt.heartbeat(observation);
  const nowMs = Date.now();
  tick(watch, snapshot, nowMs);
  if (isRolloutComplete(snapshot, request.generation)) {
    noteReadiness(watch, snapshot, nowMs);
    const stable = nowMs - (watch.ready?.sinceMs ?? nowMs) >= request.stableMs;
    return stable ? observation : undefined;
  }
  watch.ready = undefined;
  if (observation.readyReplicas >= (request.leastReady ?? Infinity)) return observation;
  await deleteStuckPods(cluster, snapshot, request);
  const clock = { nowMs, graceMs: unschedulableGraceMs };
  const failure = rolloutFailure(snapshot, request.generation, clock);
  if (failure !== undefined) return raise(cluster, request, failure);
  if (nowMs - watch.pausedMs < watch.deadlineAtMs) return undefined;
  const reason = `not ready after ${String(request.deadlineMs)} ms: ${describePods(observation)}`;
  return raise(cluster, request, deadlineFailure(snapshot, reason));
};

const watchedFor = ({ object }: RolloutRequest, workload: KubernetesObject) => [
  {
    apiVersion: object.apiVersion,
    kind: object.kind,
    fieldSelector: `metadata.name=${object.name}`,
  },
  { ...collections.pods, labelSelector: labelSelectorOf(workload) },
];

const waitMs = (watch: Stopwatch, request: RolloutRequest): number => {
  if (watch.ready === undefined) return longestSilenceMs;
  const left = watch.ready.sinceMs + request.stableMs - Date.now();
  return Math.max(10, Math.min(longestSilenceMs, left));
};

/** Waits until the rollout is complete and stays so; ends as soon as it cannot succeed any more. */
export const awaitRollout = async (
  deps: ReleaseDeps,
  request: RolloutRequest,
): Promise<RolloutObservation> => {
  const cluster = await deps.environments.locate(request.environment);
  const attempt = currentAttempt();
  return translated({ subject: describeRef(request.object) }, async () => {
    const workload = await readWorkload(cluster, request);
    const feed = openChangeFeed(cluster, watchedFor(request, workload));
    const startedAtMs = attempt.scheduledAtMs ?? Date.now();
    const watch: Stopwatch = {
      deadlineAtMs: startedAtMs + request.deadlineMs,
      pausedMs: 0,
      lookedAtMs: Date.now(),
      ready: undefined,
    };
    try {
      for (;;) {
        throwIfCancelled(attempt);
        const observation = await look({ cluster, request, watch, attempt });
        if (observation !== undefined) return observation;
        await feed.next(waitMs(watch, request));
      }
    } finally {
      feed.close();
    }
  });
};
