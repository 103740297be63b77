import { numberAt, stringAt } from './canonical-json.ts';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.ts';
import { fenceOf, withAnnotations } from './object-fence.ts';
import { fencedReason, isOwnCreation, type WriteAuthority } from './object-writes.ts';
import type { PlanEntry } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';

export type ScaleDecision =
  | { act: 'patch'; target: KubernetesObject; changes: boolean }
  | { act: 'nothing' }
  | { act: 'refuse'; code: 'FENCED' | 'FOREIGN_CHANGE'; reason: string };

export interface WantedScale {
  replicas: number;
  /** An autoscaler of the same release owns the number: it is raised for it, never lowered. */
  autoscaled: boolean;
}

/** Does the plan bring an autoscaler for the workload? */
export const bringsAutoscaler = (
  entries: readonly PlanEntry[],
  { kind, name }: ObjectRef,
): boolean =>
  entries.some(
    ({ action, after }) =>
      action === 'create' &&
      after.kind === 'HorizontalPodAutoscaler' &&
      stringAt(after, 'spec', 'scaleTargetRef', 'kind') === kind &&
      stringAt(after, 'spec', 'scaleTargetRef', 'name') === name,
  );

const wantedReplicas = (live: KubernetesObject, { replicas, autoscaled }: WantedScale): number => {
  const now = numberAt(live, 'spec', 'replicas') ?? 1;
  return autoscaled ? Math.max(now, replicas) : replicas;
};

/**
 * Gives a workload that this release created another number of pods. Anyone else's workload is
 * refused: how many pods it needs is not ours to say. The fence is raised to the epoch.
 */
export const decideScale = (
  live: KubernetesObject,
  wanted: WantedScale,
  authority: WriteAuthority,
): ScaleDecision => {
  const fenced = fencedReason(live, authority);
  if (fenced !== undefined) return { act: 'refuse', code: 'FENCED', reason: fenced };
  if (!isOwnCreation(live, authority)) {
    const reason = `release ${authority.release} did not create it`;
    return { act: 'refuse', code: 'FOREIGN_CHANGE', reason };
  }
  const replicas = wantedReplicas(live, wanted);
  const changes = numberAt(live, 'spec', 'replicas') !== replicas;
  if (!changes && fenceOf(live) === authority.epoch) return { act: 'nothing' };
  const fence = String(authority.epoch);
  return {
    act: 'patch',
    target: withAnnotations(withReplicas(live, replicas), { fence }),
    changes,
  };
};
