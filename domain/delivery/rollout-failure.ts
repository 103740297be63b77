import { stringAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import {
  conditionOf,
  containerStatusesOf,
  speaksOf,
  type RolloutSnapshot,
} from './rollout-readiness.ts';

export interface RolloutFailure {
  code: 'IMAGE_UNAVAILABLE' | 'ROLLOUT_FAILED' | 'QUOTA_EXCEEDED' | 'ROLLOUT_DEADLINE';
  reason: string;
  /** The container whose log says more. */
  container?: { pod: string; name: string };
}

/** Reasons of a waiting container that waiting longer does not cure. */
const hopelessReasons: Readonly<Record<string, 'IMAGE_UNAVAILABLE' | 'ROLLOUT_FAILED'>> = {
  ErrImagePull: 'IMAGE_UNAVAILABLE',
  ImagePullBackOff: 'IMAGE_UNAVAILABLE',
  ErrImageNeverPull: 'IMAGE_UNAVAILABLE',
  InvalidImageName: 'IMAGE_UNAVAILABLE',
  CrashLoopBackOff: 'ROLLOUT_FAILED',
  CreateContainerConfigError: 'ROLLOUT_FAILED',
  CreateContainerError: 'ROLLOUT_FAILED',
  RunContainerError: 'ROLLOUT_FAILED',
};

/**
 * What the kubelet says while its own copy of a ConfigMap or Secret is not there yet; it tries again
 * (k8s.io/kubernetes v1.36.4, pkg/kubelet/util/manager). One that does not exist is `not found`.
 */
const nodeIsLate = /^failed to sync \S+ cache: /;

const hopelessCode = (reason: string, detail: string): RolloutFailure['code'] | undefined =>
  nodeIsLate.test(detail) ? undefined : hopelessReasons[reason];

const containerFailure = (pod: KubernetesObject): RolloutFailure | undefined => {
  for (const status of containerStatusesOf(pod)) {
    const reason = stringAt(status, 'state', 'waiting', 'reason') ?? '';
    const detail = stringAt(status, 'state', 'waiting', 'message') ?? '';
    const code = hopelessCode(reason, detail);
    if (code === undefined) continue;
    const name = stringAt(status, 'name') ?? '';
    const image = code === 'IMAGE_UNAVAILABLE' ? ` (${stringAt(status, 'image') ?? ''})` : '';
    return {
      code,
      reason: `container ${name}${image} of pod ${pod.metadata.name}: ${reason}${detail === '' ? '' : `, ${detail}`}`,
      ...(code === 'ROLLOUT_FAILED' ? { container: { pod: pod.metadata.name, name } } : {}),
    };
  }
  return undefined;
};

/** The ReplicaSet cannot even create pods: a quota, an admission policy, a missing ServiceAccount. */
const creationFailure = (activeSet: KubernetesObject | undefined): RolloutFailure | undefined => {
  const condition = conditionOf(activeSet, 'ReplicaFailure');
  if (condition['status'] !== 'True' || condition['reason'] !== 'FailedCreate') return undefined;
  const reason = stringAt(condition, 'message') ?? 'pods cannot be created';
  return { code: reason.includes('exceeded quota') ? 'QUOTA_EXCEEDED' : 'ROLLOUT_FAILED', reason };
};

/** A pod may wait for a node that is being added; only after a grace it counts as stuck. */
const unschedulable = (
  pod: KubernetesObject,
  clock: { nowMs: number; graceMs: number },
): RolloutFailure | undefined => {
  const condition = conditionOf(pod, 'PodScheduled');
  if (condition['reason'] !== 'Unschedulable') return undefined;
  const sinceMs = Date.parse(stringAt(condition, 'lastTransitionTime') ?? '');
  if (Number.isNaN(sinceMs) || clock.nowMs - sinceMs < clock.graceMs) return undefined;
  const detail = stringAt(condition, 'message') ?? 'no node takes it';
  return { code: 'ROLLOUT_FAILED', reason: `pod ${pod.metadata.name} is unschedulable: ${detail}` };
};

const isLeaving = (pod: KubernetesObject): boolean =>
  pod.metadata['deletionTimestamp'] !== undefined;

/** A container that is not ready although nothing is known to be wrong: its log may say why. */
const containerNotReady = (pods: readonly KubernetesObject[]): RolloutFailure['container'] => {
  for (const pod of pods) {
    if (isLeaving(pod)) continue;
    const waiting = containerStatusesOf(pod).find((status) => status['ready'] !== true);
    const name = stringAt(waiting, 'name');
    if (name !== undefined) return { pod: pod.metadata.name, name };
  }
  return undefined;
};

/** The time is over: by the Deployment's own deadline, or by that of who watches it. */
export const deadlineFailure = (snapshot: RolloutSnapshot, reason: string): RolloutFailure => {
  const container = containerNotReady(snapshot.pods);
  const where =
    container === undefined
      ? ''
      : `; container ${container.name} of pod ${container.pod} is not ready`;
  return {
    code: 'ROLLOUT_DEADLINE',
    reason: `${reason}${where}`,
    ...(container === undefined ? {} : { container }),
  };
};

const progressFailure = (snapshot: RolloutSnapshot): RolloutFailure | undefined => {
  const condition = conditionOf(snapshot.workload, 'Progressing');
  if (condition['reason'] !== 'ProgressDeadlineExceeded') return undefined;
  const reason = stringAt(condition, 'message') ?? 'the progress deadline was exceeded';
  return deadlineFailure(snapshot, reason);
};

/** Why the rollout cannot succeed any more; undefined while it can. The first cause wins. */
export const rolloutFailure = (
  snapshot: RolloutSnapshot,
  generation: number,
  clock: { nowMs: number; graceMs: number },
): RolloutFailure | undefined => {
  if (!speaksOf(snapshot.workload, generation)) return undefined;
  const pods = snapshot.pods.filter((pod) => !isLeaving(pod));
  const byPod = (find: (pod: KubernetesObject) => RolloutFailure | undefined) =>
    pods.map(find).find((failure) => failure !== undefined);
  return (
    byPod(containerFailure) ??
    creationFailure(snapshot.activeSet) ??
    byPod((pod) => unschedulable(pod, clock)) ??
    progressFailure(snapshot)
  );
};
