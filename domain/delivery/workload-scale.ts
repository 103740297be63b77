import { numberAt, stringAt } from './canonical-json.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';
import { annotationOf, fenceOf, withAnnotations } from './object-fence.ts';
import { fencedReason, isOwnCreation, isOwnRelease, type WriteAuthority } from './object-writes.ts';
import type { PlanEntry, SharedReplicas } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';
import { scaledBy, scaledMark, sharedEntry } from './shared-replicas.ts';

export type ScaleDecision =
  | { act: 'patch'; target: KubernetesObject; changes: boolean }
  | { act: 'nothing' }
  | { act: 'refuse'; code: 'FENCED' | 'FOREIGN_CHANGE'; reason: string };

export interface WantedScale {
  replicas: number;
  /** An autoscaler of the same release owns the number: it is raised for it, never lowered. */
  autoscaled: boolean;
  /** Set where it is the user's own workload, whose pods make the share of the traffic. */
  shared?: SharedReplicas & { uid: string | undefined };
  /** Set where it is a workload of the user that the plan updates: it is raised, never lowered. */
  updated?: UpdatedWorkload;
}

/** How many pods the user's own workload may be given so that it can carry its traffic. */
interface UpdatedWorkload {
  uid: string | undefined;
  /** Before its update and after it; absent where an autoscaler owns the number. */
  most?: { before: number; after: number };
}

/** What a plan says of the workload that is to be scaled. */
export const wantedScale = (
  entries: readonly PlanEntry[],
  { object, replicas }: { object: ObjectRef; replicas: number },
): WantedScale => {
  const entry = sharedEntry(entries, object);
  const autoscaled = bringsAutoscaler(entries, object);
  if (entry !== undefined) {
    return { replicas, autoscaled, shared: { ...entry.shared, uid: entry.before?.metadata.uid } };
  }
  const updated = updatedWorkload(entries, object);
  return { replicas, autoscaled, ...(updated === undefined ? {} : { updated }) };
};

const updatedWorkload = (
  entries: readonly PlanEntry[],
  object: ObjectRef,
): UpdatedWorkload | undefined => {
  const name = describeRef(object);
  const entry = entries.find(
    ({ action, object: other }) => action === 'patch' && describeRef(other) === name,
  );
  if (entry === undefined || entry.before === null) return undefined;
  const { uid } = entry.before.metadata;
  if (entry.autoscaledBefore) return { uid };
  const before = numberAt(entry.before, 'spec', 'replicas') ?? 1;
  return { uid, most: { before, after: entry.replicas } };
};

/** Does the plan bring an autoscaler for the workload? */
const bringsAutoscaler = (entries: readonly PlanEntry[], { kind, name }: ObjectRef): boolean =>
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

/** Why the pods of the user's workload may not be given another number now. */
const notShared = (
  live: KubernetesObject,
  { shared, now }: { shared: NonNullable<WantedScale['shared']>; now: number },
  authority: WriteAuthority,
): string | undefined => {
  if (live.metadata.uid !== shared.uid) return 'someone else replaced it';
  if (authority.epoch > shared.epoch) return undefined;
  const given = scaledBy(live, shared);
  if (given === undefined && fenceOf(live) === authority.epoch) return 'it is updated already';
  if (now === (given ?? shared.replicas)) return undefined;
  return `someone else gave it ${String(now)} pods`;
};

/**
 * The user's own workload, whose pods make the share for a time. On the way back, a greater number
 * that someone else gave it meanwhile is kept, and a smaller one does not stand in the way of all
 * the traffic; forward both are refused.
 */
const decideShared = (
  live: KubernetesObject,
  { replicas, shared }: WantedScale & { shared: NonNullable<WantedScale['shared']> },
  authority: WriteAuthority,
): ScaleDecision => {
  const now = numberAt(live, 'spec', 'replicas') ?? 1;
  const reason = notShared(live, { shared, now }, authority);
  if (reason !== undefined) return { act: 'refuse', code: 'FOREIGN_CHANGE', reason };
  const isBack = authority.epoch > shared.epoch;
  const given = scaledBy(live, shared) ?? shared.replicas;
  const wanted = isBack && now !== given ? Math.max(now, replicas) : replicas;
  const changes = now !== wanted;
  const scaled = isBack ? undefined : scaledMark(shared, wanted);
  const isMarked = annotationOf(live, 'scaled') === scaled;
  if (!changes && isMarked && fenceOf(live) === authority.epoch) return { act: 'nothing' };
  const fence = String(authority.epoch);
  return {
    act: 'patch',
    target: withAnnotations(withReplicas(live, wanted), { fence, scaled }),
    changes,
  };
};

/**
 * The user's own workload before it gets its traffic back. Someone may have taken pods from it
 * while it had none; it gets what it had, or what the manifests say once it is updated.
 */
const decideRaise = (
  live: KubernetesObject,
  { replicas, updated }: WantedScale & { updated: UpdatedWorkload },
  authority: WriteAuthority,
): ScaleDecision => {
  if (live.metadata.uid !== updated.uid) {
    return { act: 'refuse', code: 'FOREIGN_CHANGE', reason: 'someone else replaced it' };
  }
  const now = numberAt(live, 'spec', 'replicas') ?? 1;
  const side = isOwnRelease(live, authority) ? 'after' : 'before';
  const wanted = Math.min(replicas, updated.most?.[side] ?? replicas);
  if (wanted <= now) return { act: 'nothing' };
  const fence = String(authority.epoch);
  return {
    act: 'patch',
    target: withAnnotations(withReplicas(live, wanted), { fence }),
    changes: true,
  };
};

/**
 * Gives a workload another number of pods: one that this release created, the one whose pods make
 * the share by its plan, or the one that gets its traffic back, which is only raised. Anyone
 * else's is refused: how many pods it needs is not ours to say. The fence is raised to the epoch.
 */
export const decideScale = (
  live: KubernetesObject,
  wanted: WantedScale,
  authority: WriteAuthority,
): ScaleDecision => {
  const fenced = fencedReason(live, authority);
  if (fenced !== undefined) return { act: 'refuse', code: 'FENCED', reason: fenced };
  if (wanted.shared !== undefined) {
    return decideShared(live, { ...wanted, shared: wanted.shared }, authority);
  }
  if (wanted.updated !== undefined) {
    return decideRaise(live, { ...wanted, updated: wanted.updated }, authority);
  }
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
