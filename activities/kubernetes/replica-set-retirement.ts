import { setTimeout as delay } from 'node:timers/promises';
import { numberAt } from '../../domain/delivery/canonical-json.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../domain/delivery/manifest-set.ts';
import { fencedReason } from '../../domain/delivery/object-writes.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { collections, deleteObject, listObjects, readObject } from './object-access.ts';
import type { Workloads } from './port.ts';
import { openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { refuseLateWrite } from './release-writes.ts';
import { capturedOf, readPreImage } from './stored-plans.ts';
import { activeVersion, isOfVersion, versionsOf } from './workload-versions.ts';

type RetireRequest = Parameters<Workloads['retire']>[0];

const pollMs = 150;

const isAtZero = (set: KubernetesObject): boolean =>
  (numberAt(set, 'spec', 'replicas') ?? 0) === 0 &&
  (numberAt(set, 'status', 'replicas') ?? 0) === 0;

/** Pods that still drain are not counted by their ReplicaSet any more, but they are there. */
const withoutPods = async (
  cluster: Cluster,
  { workload, versions }: FailedVersions,
): Promise<KubernetesObject[]> => {
  const empty = versions.filter(isAtZero);
  if (empty.length === 0) return [];
  const pods = await listObjects(cluster, collections.pods, {});
  return empty.filter((version) => !pods.items.some(isOfVersion(workload, version)));
};

interface FailedVersions {
  workload: KubernetesObject;
  versions: KubernetesObject[];
}

/** Versions that came with the failed release: not there before, not the one that runs. */
const failedVersions = async (
  cluster: Cluster,
  request: RetireRequest,
  before: ReadonlySet<string>,
): Promise<FailedVersions | undefined> => {
  const workload = await readObject(cluster, request.object);
  if (workload === undefined) return undefined;
  const reason = fencedReason(workload, request);
  const subject = describeRef(request.object);
  if (reason !== undefined) {
    const message = `Failed versions of ${subject} were not deleted: ${reason}.`;
    throw codedFailure({ code: 'FENCED', message, subject });
  }
  const all = await versionsOf(cluster, workload);
  const active = activeVersion(workload, all)?.metadata.uid;
  const versions = all.filter(
    ({ metadata }) => metadata.uid !== active && !before.has(metadata.uid ?? ''),
  );
  return { workload, versions };
};

/** Deletes what a failed release left at 0 replicas, by uid, once the last of its pods is gone. */
export const retireReplicaSets = async (
  deps: ReleaseDeps,
  request: RetireRequest,
): Promise<{ deleted: string[] }> => {
  const { cluster } = await openPlan(deps, request);
  const captured = capturedOf(
    await readPreImage(deps.blobs, request.preImageDigest),
    request.object,
  );
  const before = new Set((captured?.replicaSets ?? []).map(({ uid }) => uid));
  const attempt = currentAttempt();
  return translated({ subject: describeRef(request.object) }, async () => {
    const deleted: string[] = [];
    for (;;) {
      throwIfCancelled(attempt);
      const failed = await failedVersions(cluster, request, before);
      if (failed === undefined) return { deleted };
      const gone = new Set(deleted);
      const open = failed.versions.filter(({ metadata }) => !gone.has(metadata.name));
      const spent = await withoutPods(cluster, { ...failed, versions: open });
      for (const version of spent) {
        refuseLateWrite(describeRef(refOf(version)));
        await deleteObject(cluster, { ref: refOf(version), uid: version.metadata.uid ?? '' });
        deleted.push(version.metadata.name);
      }
      if (spent.length === open.length) return { deleted };
      attempt.heartbeat({ retiring: open.map(({ metadata }) => metadata.name) });
      await delay(pollMs);
    }
  });
};
