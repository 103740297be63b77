import type { PlanStep } from '../../activities/kubernetes/port.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { changesByObject } from '../../domain/delivery/object-proof.ts';
import { staleFields } from '../../domain/delivery/object-writes.ts';
import type { StoredPlan } from '../../domain/delivery/release-plan.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failure } from './in-memory-failure.ts';

export interface InMemoryPreImage {
  objects: {
    object: KubernetesObject;
    replicaSetUid: string | undefined;
    replicaSetUids: string[];
  }[];
}

export const readJson = async <T>(deps: InMemoryDeps, digest: string): Promise<T> =>
  JSON.parse(new TextDecoder().decode(await deps.blobs.get(digest))) as T;

export const readPreImage = (deps: InMemoryDeps, digest: string): Promise<InMemoryPreImage> =>
  readJson<InMemoryPreImage>(deps, digest);

/** Keeps every object as it is, unless one is no longer what the plan was made from. */
export const captureInMemory = async (
  deps: InMemoryDeps,
  request: PlanStep,
): Promise<{ preImageDigest: string }> => {
  const plan = await readJson<StoredPlan>(deps, request.planDigest);
  const objects = changesByObject(plan.entries).flatMap(({ entry }) => {
    const live = deps.state.get(entry.object);
    const stale = staleFields(entry, live);
    if (stale.length > 0) {
      const name = describeRef(entry.object);
      const message = `${name} changed after the plan was made: ${stale.join(', ')}`;
      throw failure('PLAN_STALE', message, name);
    }
    if (live === undefined) return [];
    const sets = deps.state.replicaSets.get(live.metadata.uid ?? '') ?? [];
    const replicaSetUid = deps.state.activeReplicaSet(live)?.uid;
    return [{ object: live, replicaSetUid, replicaSetUids: sets.map(({ uid }) => uid) }];
  });
  const preImage: InMemoryPreImage = { objects };
  const bytes = new TextEncoder().encode(JSON.stringify(preImage));
  return { preImageDigest: await deps.blobs.put(bytes) };
};
