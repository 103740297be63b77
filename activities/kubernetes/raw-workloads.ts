import { recordAt } from '../../domain/delivery/canonical-json.ts';
import { guardedPatch } from '../../domain/delivery/guarded-patch.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { decidePause } from '../../domain/delivery/rollout-pause.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import { awaitEndpoints } from './endpoints-watch.ts';
import { translated } from './error-translation.ts';
import { collections, listObjects, patchObject, readObject } from './object-access.ts';
import { podLogLines } from './pod-logs.ts';
import type { Workloads } from './port.ts';
import { openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { refuseLateWrite, untilDecided } from './release-writes.ts';
import { retireReplicaSets } from './replica-set-retirement.ts';
import { labelSelectorOf } from './replica-sets.ts';
import { awaitRollout } from './rollout-watch.ts';
import { capturedOf, readPreImage } from './stored-plans.ts';
import { scaleWorkload } from './workload-scaling.ts';
import { isOfVersion, versionsOf } from './workload-versions.ts';

const pauseOnce = async (
  cluster: Cluster,
  request: Parameters<Workloads['setPaused']>[0],
): Promise<{ changed: boolean }> => {
  const subject = describeRef(request.object);
  const live = await readObject(cluster, request.object);
  if (live === undefined) return { changed: false };
  const decision = decidePause(live, request);
  if (decision.act === 'nothing') return { changed: false };
  if (decision.act === 'refuse') {
    throw codedFailure({
      code: 'FENCED',
      message: `${subject} was not ${request.paused ? 'paused' : 'resumed'}: ${decision.reason}.`,
      subject,
    });
  }
  refuseLateWrite(subject);
  const operations = guardedPatch(live, decision.target);
  await patchObject(cluster, { ref: request.object, operations });
  return { changed: true };
};

const setPaused = async (
  deps: ReleaseDeps,
  request: Parameters<Workloads['setPaused']>[0],
): Promise<{ changed: boolean }> => {
  const cluster = await deps.environments.locate(request.environment);
  const subject = describeRef(request.object);
  return translated({ subject }, async () =>
    untilDecided(subject, async () => pauseOnce(cluster, request)),
  );
};

/** Pods whose logs are kept, at most; a failed version fails the same way in all of them. */
const mostPodsKept = 10;

const failedPods = async (
  cluster: Cluster,
  ref: ObjectRef,
  oldSetUids: ReadonlySet<string>,
): Promise<KubernetesObject[]> => {
  const workload = await readObject(cluster, ref);
  if (workload === undefined) return [];
  const versions = await versionsOf(cluster, workload);
  const failed = versions.filter(({ metadata }) => !oldSetUids.has(metadata.uid ?? ''));
  const labelSelector = labelSelectorOf(workload);
  const { items } = await listObjects(cluster, collections.pods, { labelSelector });
  return items.filter((pod) => failed.some((version) => isOfVersion(workload, version)(pod)));
};

const keepLogs = async (
  deps: ReleaseDeps,
  request: Parameters<Workloads['keepLogs']>[0],
): Promise<{ logsDigest: string | null; lines: number }> => {
  const { cluster } = await openPlan(deps, request);
  const captured = capturedOf(
    await readPreImage(deps.blobs, request.preImageDigest),
    request.object,
  );
  return translated({ subject: describeRef(request.object) }, async () => {
    const known = new Set((captured?.replicaSets ?? []).map(({ uid }) => uid));
    const pods = await failedPods(cluster, request.object, known);
    const lists = await Promise.all(
      pods.slice(0, mostPodsKept).map(async (pod) => {
        const status = JSON.stringify(recordAt(pod, 'status'));
        return [`${pod.metadata.name}: status ${status}`, ...(await podLogLines(cluster, pod))];
      }),
    );
    const lines = lists.flat();
    if (lines.length === 0) return { logsDigest: null, lines: 0 };
    const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`);
    return { logsDigest: await deps.blobs.put(bytes), lines: lines.length };
  });
};

/** Pods and endpoints as the Kubernetes API reports them. */
export const createWorkloads = (deps: ReleaseDeps): Workloads => ({
  awaitRollout: async (request) => awaitRollout(deps, request),
  awaitEndpoints: async (request) => awaitEndpoints(deps, request),
  setPaused: async (request) => setPaused(deps, request),
  scale: async (request) => scaleWorkload(deps, request),
  keepLogs: async (request) => keepLogs(deps, request),
  retire: async (request) => retireReplicaSets(deps, request),
});
