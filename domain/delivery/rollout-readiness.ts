import {
  isRecord,
  listAt,
  numberAt,
  recordAt,
  stringAt,
  type JsonRecord,
} from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** What the API server says of a rollout at one moment. */
export interface RolloutSnapshot {
  deployment: KubernetesObject;
  /** ReplicaSet of the version that is being rolled out; undefined until it is made. */
  activeSet: KubernetesObject | undefined;
  /** Pods of that ReplicaSet. */
  pods: readonly KubernetesObject[];
}

export const conditionOf = (object: KubernetesObject | undefined, type: string): JsonRecord =>
  listAt(object, 'status', 'conditions')
    .filter(isRecord)
    .find((condition) => condition['type'] === type) ?? {};

export const containerStatusesOf = (pod: KubernetesObject): JsonRecord[] =>
  ['initContainerStatuses', 'containerStatuses'].flatMap((list) =>
    listAt(pod, 'status', list).filter(isRecord),
  );

const isReady = (pod: KubernetesObject): boolean =>
  pod.metadata['deletionTimestamp'] === undefined && conditionOf(pod, 'Ready')['status'] === 'True';

/** Why a pod is not ready, in the words of Kubernetes. */
const reasonOf = (pod: KubernetesObject): string => {
  if (pod.metadata['deletionTimestamp'] !== undefined) return 'Terminating';
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled['status'] === 'False') return stringAt(scheduled, 'reason') ?? 'Unschedulable';
  const waiting = containerStatusesOf(pod)
    .map((status) => stringAt(status, 'state', 'waiting', 'reason'))
    .find((reason) => reason !== undefined);
  if (waiting !== undefined) return waiting;
  return (
    stringAt(conditionOf(pod, 'Ready'), 'reason') ?? stringAt(pod, 'status', 'phase') ?? 'Pending'
  );
};

export interface PodObservation {
  name: string;
  ready: boolean;
  reason: string;
}

const observePod = (pod: KubernetesObject): PodObservation => {
  const ready = isReady(pod);
  return { name: pod.metadata.name, ready, reason: ready ? '' : reasonOf(pod) };
};

/** More pods than this are counted, not listed. */
const mostListedPods = 50;

/** What a reader wants to know of a rollout at one moment; unready pods come first. */
export const observeRollout = (snapshot: RolloutSnapshot) => {
  const { deployment, activeSet } = snapshot;
  const pods = snapshot.pods.map(observePod);
  const unreadyFirst = [...pods.filter((pod) => !pod.ready), ...pods.filter((pod) => pod.ready)];
  return {
    generation: deployment.metadata.generation ?? 0,
    replicaSet: {
      name: activeSet?.metadata.name ?? '',
      uid: activeSet?.metadata.uid ?? '',
    },
    wantedReplicas: numberAt(deployment, 'spec', 'replicas') ?? 1,
    readyReplicas: pods.filter((pod) => pod.ready).length,
    pods: unreadyFirst.slice(0, mostListedPods),
  };
};

const hasSettled = (deployment: KubernetesObject, generation: number): boolean => {
  const observed = numberAt(deployment, 'status', 'observedGeneration') ?? 0;
  return observed >= generation && observed >= (deployment.metadata.generation ?? 0);
};

/**
 * Is the rollout complete? As `kubectl rollout status` decides, and besides: the status must
 * speak of the written generation, the rollout must not be paused, and each pod of the new
 * ReplicaSet itself must be ready.
 */
export const isRolloutComplete = (snapshot: RolloutSnapshot, generation: number): boolean => {
  const { deployment, activeSet, pods } = snapshot;
  if (!hasSettled(deployment, generation) || activeSet === undefined) return false;
  if (recordAt(deployment, 'spec')['paused'] === true) return false;
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 1;
  const counts = ['replicas', 'updatedReplicas', 'availableReplicas'].map(
    (field) => numberAt(deployment, 'status', field) ?? 0,
  );
  const alive = pods.filter((pod) => pod.metadata['deletionTimestamp'] === undefined);
  return (
    counts.every((count) => count === wanted) && alive.length === wanted && alive.every(isReady)
  );
};

/** Restarts of all containers of the pods: a rise while we watch is a flap. */
export const restartsOf = (pods: readonly KubernetesObject[]): number =>
  pods
    .flatMap(containerStatusesOf)
    .reduce((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);

/** Does a status of this generation exist? Before that, conditions speak of the version before. */
export const speaksOf = (deployment: KubernetesObject, generation: number): boolean =>
  (numberAt(deployment, 'status', 'observedGeneration') ?? 0) >= generation;
