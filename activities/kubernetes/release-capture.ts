import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { changesByObject } from '../../domain/delivery/object-proof.ts';
import { staleFields } from '../../domain/delivery/object-writes.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { readObject } from './object-access.ts';
import type { PlanStep } from './port.ts';
import { aboutObject, openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { storePreImage, type CapturedObject } from './stored-plans.ts';
import { activeVersion, versionsOf } from './workload-versions.ts';

const captureObject = async (cluster: Cluster, entry: PlanEntry): Promise<CapturedObject> => {
  const { object: ref } = entry;
  const live = await readObject(cluster, ref);
  const stale = staleFields(entry, live);
  if (stale.length > 0) {
    const fields = stale.filter((field) => field !== '').join(', ');
    const what = live === undefined ? 'was deleted' : 'was created or changed';
    throw codedFailure({
      code: 'PLAN_STALE',
      message: `${describeRef(ref)} ${what} after the plan was made${fields === '' ? '' : `: ${fields}`}; nothing was touched.`,
      subject: describeRef(ref),
    });
  }
  const versions = live === undefined ? [] : await versionsOf(cluster, live);
  const active = live === undefined ? undefined : activeVersion(live, versions);
  return {
    ref,
    object: live ?? null,
    replicaSets: versions.map(({ metadata }) => ({ name: metadata.name, uid: metadata.uid ?? '' })),
    activeReplicaSetUid: active?.metadata.uid ?? null,
  };
};

/** Stores every object of the plan as it is now, provided it still is what the plan was made from. */
export const captureRelease = async (
  deps: ReleaseDeps,
  request: PlanStep,
): Promise<{ preImageDigest: string }> => {
  const { cluster, plan } = await openPlan(deps, request);
  const objects = await Promise.all(
    changesByObject(plan.entries).map(async ({ entry }) =>
      translated(aboutObject(entry.object), async () => captureObject(cluster, entry)),
    ),
  );
  const preImageDigest = await storePreImage(deps.blobs, { preImageVersion: 1, objects });
  return { preImageDigest };
};
