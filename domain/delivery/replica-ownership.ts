import { copyJson, isRecord, numberAt, stringAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

const scales = (autoscaler: KubernetesObject, workload: KubernetesObject): boolean =>
  autoscaler.kind === 'HorizontalPodAutoscaler' &&
  stringAt(autoscaler, 'spec', 'scaleTargetRef', 'kind') === workload.kind &&
  stringAt(autoscaler, 'spec', 'scaleTargetRef', 'name') === workload.metadata.name;

/** The autoscaler that owns the replicas of a workload, if there is one. */
export const autoscalerOf = (
  workload: KubernetesObject,
  objects: readonly KubernetesObject[],
): KubernetesObject | undefined => objects.find((object) => scales(object, workload));

/** A DaemonSet has as many pods as there are nodes for it. */
export const hasReplicas = ({ kind }: KubernetesObject): boolean =>
  kind === 'Deployment' || kind === 'StatefulSet';

/** A copy without `spec.replicas`, so that writing it leaves the number to the autoscaler. */
export const withoutReplicas = (workload: KubernetesObject): KubernetesObject => {
  const copy = copyJson(workload);
  if (isRecord(copy['spec'])) Reflect.deleteProperty(copy['spec'], 'replicas');
  return copy;
};

export const withReplicas = (workload: KubernetesObject, replicas: number): KubernetesObject => {
  const copy = copyJson(workload);
  if (isRecord(copy['spec'])) copy['spec']['replicas'] = replicas;
  return copy;
};

/**
 * Replicas that a new workload gets when it is activated. An autoscaler does nothing at 0
 * replicas, so that a workload of its starts within the autoscaler's bounds.
 */
export const startingReplicas = (
  workload: KubernetesObject,
  autoscaler: KubernetesObject | undefined,
): number => {
  const wanted = numberAt(workload, 'spec', 'replicas') ?? 1;
  if (autoscaler === undefined) return wanted;
  const least = numberAt(autoscaler, 'spec', 'minReplicas') ?? 1;
  const most = numberAt(autoscaler, 'spec', 'maxReplicas') ?? wanted;
  return Math.min(Math.max(wanted, least), most);
};
