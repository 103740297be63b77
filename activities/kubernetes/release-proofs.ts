import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { managedKinds, refOf } from '../../domain/delivery/manifest-set.ts';
import { fingerprintText, ignoredTable } from '../../domain/delivery/normalised-object.ts';
import { annotationOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import {
  proveObject,
  provenChanges,
  type ObjectChange,
} from '../../domain/delivery/object-proof.ts';
import type { Proof, ProofRow } from '../../domain/delivery/proof.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { isHidden } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { hexDigest } from './manifest-loading.ts';
import { collections, listObjects, readObject } from './object-access.ts';
import type { PlanStep, Releases, ServiceTarget } from './port.ts';
import { aboutObject, openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { capturedOf, readPreImage, type StoredPreImage } from './stored-plans.ts';
import { activeVersion, versionsOf } from './workload-versions.ts';

const digest = (text: string): string => `sha256:${hexDigest(text)}`;

/** Names and annotations of everything of the managed kinds in the namespace. */
export const listManaged = async (cluster: Cluster): Promise<KubernetesObject[]> => {
  const lists = await Promise.all(
    Object.entries(managedKinds).map(async ([kind, { apiVersion }]) =>
      listObjects(cluster, { kind, apiVersion }, { metadataOnly: true }),
    ),
  );
  return lists.flatMap(({ items }) => items);
};

/**
 * Jobs that were run as checks and may be seen. One whose deletion failed, or that a late attempt
 * created after it, is as much left behind as any other object.
 */
export const listCheckJobs = async (cluster: Cluster): Promise<KubernetesObject[]> => {
  try {
    const { items } = await listObjects(cluster, collections.jobs, { metadataOnly: true });
    return items.filter((job) => annotationOf(job, 'temporary') !== undefined);
  } catch (error) {
    if (isHidden(error)) return [];
    throw error;
  }
};

export const isOfService = (object: KubernetesObject, target: ServiceTarget): boolean =>
  annotationOf(object, 'service') === serviceKeyOf(target);

const proveEntry = async (
  cluster: Cluster,
  sides: { change: ObjectChange; before: StoredPreImage },
  direction: Proof['direction'],
): Promise<ProofRow> => {
  const { change, before } = sides;
  const { entry } = change;
  const captured = capturedOf(before, entry.object);
  const live = await readObject(cluster, entry.object);
  const versions = live === undefined ? [] : await versionsOf(cluster, live);
  const now = live === undefined ? undefined : activeVersion(live, versions)?.metadata.uid;
  const replicaSet = { before: captured?.activeReplicaSetUid ?? undefined, now };
  const preImage = captured?.object ?? undefined;
  return proveObject(direction, { ...change, preImage, live, replicaSet }, digest);
};

/** Objects that say they were created by this release and that its plan does not account for. */
const leftoverRows = async (
  cluster: Cluster,
  request: PlanStep,
  entries: readonly PlanEntry[],
): Promise<ProofRow[]> => {
  const known = new Set(entries.map(({ object }) => describeRef(object)));
  const created = await Promise.all([listManaged(cluster), listCheckJobs(cluster)]);
  const found = created
    .flat()
    .filter((object) => isOfService(object, request))
    .filter((object) => annotationOf(object, 'createdBy') === request.release)
    .filter((object) => !known.has(describeRef(refOf(object))));
  return found.map((object) => ({
    object: refOf(object),
    hashBefore: 'absent',
    hashAfter: digest(fingerprintText(object)),
    verdict: 'leftover',
    fields: [],
  }));
};

/** Compares every object with what it must be. Reads only. */
export const proveRelease = async (
  deps: ReleaseDeps,
  request: Parameters<Releases['prove']>[0],
): Promise<Proof> => {
  const { cluster, plan } = await openPlan(deps, request);
  const before = await readPreImage(deps.blobs, request.preImageDigest);
  const changes = provenChanges(plan.entries, request.direction);
  const rows = await Promise.all(
    changes.map(async (change) =>
      translated(aboutObject(change.entry.object), async () =>
        proveEntry(cluster, { change, before }, request.direction),
      ),
    ),
  );
  const extra =
    request.direction === 'forward'
      ? []
      : await translated({ subject: request.service }, async () =>
          leftoverRows(cluster, request, plan.entries),
        );
  return { direction: request.direction, rows: [...rows, ...extra], ignored: ignoredTable };
};
