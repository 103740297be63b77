import { isRecord, listAt, numberAt, stringAt, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { isHeldStill, partitionOf } from './rollout-pause.ts';

/** What the API server says of a rollout at one moment. */
export interface RolloutSnapshot {
  workload: KubernetesObject;
  /**
   * ReplicaSet of the version that is being rolled out, or its ControllerRevision where a workload
   * owns its pods itself; undefined until it is made.
   */
  activeSet: KubernetesObject | undefined;
  /** Pods of that version. */
  pods: readonly KubernetesObject[];
  /** Pods of the workload's other versions. */
  others: readonly KubernetesObject[];
}

export const conditionOf = (object: KubernetesObject | undefined, type: string): JsonRecord =>
  listAt(object, 'status', 'conditions')
    .filter(isRecord)
    .find((condition) => condition['type'] === type) ?? {};

export const containerStatusesOf = (pod: KubernetesObject): JsonRecord[] =>
  ['initContainerStatuses', 'containerStatuses'].flatMap((list) =>
    listAt(pod, 'status', list).filter(isRecord),
  );

const isAlive = (pod: KubernetesObject): boolean => pod.metadata['deletionTimestamp'] === undefined;

export const isReady = (pod: KubernetesObject): boolean =>
  isAlive(pod) && conditionOf(pod, 'Ready')['status'] === 'True';

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

/** Pods that the workload is to have; how many a DaemonSet needs, Kubernetes counts. */
const wantedPods = (workload: KubernetesObject): number =>
  workload.kind === 'DaemonSet'
    ? (numberAt(workload, 'status', 'desiredNumberScheduled') ?? 0)
    : (numberAt(workload, 'spec', 'replicas') ?? 1);

/** What a reader wants to know of a rollout at one moment; unready pods come first. */
export const observeRollout = (snapshot: RolloutSnapshot) => {
  const { workload, activeSet } = snapshot;
  const pods = snapshot.pods.map(observePod);
  const unreadyFirst = [...pods.filter((pod) => !pod.ready), ...pods.filter((pod) => pod.ready)];
  return {
    generation: workload.metadata.generation ?? 0,
    replicaSet: {
      name: activeSet?.metadata.name ?? '',
      uid: (workload.kind === 'Deployment' ? activeSet : workload)?.metadata.uid ?? '',
    },
    wantedReplicas: wantedPods(workload),
    readyReplicas: pods.filter((pod) => pod.ready).length,
    pods: unreadyFirst.slice(0, mostListedPods),
  };
};

const hasSettled = (workload: KubernetesObject, generation: number): boolean => {
  const observed = numberAt(workload, 'status', 'observedGeneration') ?? 0;
  return observed >= generation && observed >= (workload.metadata.generation ?? 0);
};

const countFields = {
  all: { scaled: 'replicas', onNodes: 'currentNumberScheduled' },
  updated: { scaled: 'updatedReplicas', onNodes: 'updatedNumberScheduled' },
  available: { scaled: 'availableReplicas', onNodes: 'numberAvailable' },
} as const;

const countOf = (workload: KubernetesObject, count: keyof typeof countFields): number => {
  const side = workload.kind === 'DaemonSet' ? 'onNodes' : 'scaled';
  return numberAt(workload, 'status', countFields[count][side]) ?? 0;
};

/**
 * Is the rollout complete? As `kubectl rollout status` decides, and besides: the status must
 * speak of the written generation, the rollout must not be paused, and each pod of the new
 * version itself must be ready. A StatefulSet keeps the old version below its partition. A
 * workload that is to have no pods is there when the last one is gone, not when it is leaving.
 */
export const isRolloutComplete = (snapshot: RolloutSnapshot, generation: number): boolean => {
  const { workload, activeSet, pods, others } = snapshot;
  if (!hasSettled(workload, generation) || activeSet === undefined) return false;
  if (isHeldStill(workload)) return false;
  const wanted = wantedPods(workload);
  if (wanted === 0) return pods.length + others.length === 0;
  const least = Math.max(0, wanted - partitionOf(workload));
  const isNew = (count: number): boolean => count >= least && count <= wanted;
  const alive = pods.filter(isAlive);
  return (
    countOf(workload, 'all') === wanted &&
    countOf(workload, 'available') === wanted &&
    isNew(countOf(workload, 'updated')) &&
    isNew(alive.length) &&
    alive.every(isReady)
  );
};

/**
 * On the way back: pods of the failed version that are not ready. A StatefulSet replaces no pod
 * before all of them are ready, so that it would wait for these for ever (Kubernetes: "forced
 * rollback").
 */
export const stuckPods = (snapshot: RolloutSnapshot, generation: number): KubernetesObject[] => {
  const { workload, others } = snapshot;
  if (workload.kind !== 'StatefulSet' || !hasSettled(workload, generation)) return [];
  return others.filter((pod) => isAlive(pod) && !isReady(pod));
};

/** Restarts of all containers of the pods: a rise while we watch is a flap. */
export const restartsOf = (pods: readonly KubernetesObject[]): number =>
  pods
    .flatMap(containerStatusesOf)
    .reduce((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);

/** Does a status of this generation exist? Before that, conditions speak of the version before. */
export const speaksOf = (workload: KubernetesObject, generation: number): boolean =>
  (numberAt(workload, 'status', 'observedGeneration') ?? 0) >= generation;
