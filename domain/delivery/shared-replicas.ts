import { equalJson, numberAt } from './canonical-json.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';
import { annotationOf } from './object-fence.ts';
import type { PlanEntry, SharedReplicas } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';

export const scaledMark = ({ epoch }: SharedReplicas, replicas: number): string =>
  `${String(epoch)}.${String(replicas)}`;

/** The number of pods that this plan gave the workload last; undefined where it gave none. */
export const scaledBy = (live: KubernetesObject, { epoch }: SharedReplicas): number | undefined => {
  const [, of, replicas] = /^(\d{1,15})\.(\d{1,9})$/.exec(annotationOf(live, 'scaled') ?? '') ?? [];
  return of === String(epoch) ? Number(replicas) : undefined;
};

/** The workload of the user whose pods make the share, if it is this one. */
export const sharedEntry = (
  entries: readonly PlanEntry[],
  object: ObjectRef,
): (PlanEntry & { shared: SharedReplicas }) | undefined =>
  entries.find(
    (entry): entry is PlanEntry & { shared: SharedReplicas } =>
      entry.shared !== undefined && describeRef(entry.object) === describeRef(object),
  );

/** A state of the plan with the number of pods that the workload has for its share of the traffic. */
export const withSharedReplicas = (
  state: KubernetesObject,
  { shared }: Pick<PlanEntry, 'shared'>,
  live: KubernetesObject,
): KubernetesObject => {
  if (shared === undefined) return state;
  const given = scaledBy(live, shared);
  const isOurs = given !== undefined && equalJson(given, numberAt(live, 'spec', 'replicas'));
  return isOurs ? withReplicas(state, given) : state;
};
