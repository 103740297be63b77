import { copyJson, recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import {
  annotations,
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { annotationOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import { podSpecOf, renameReferences } from '../../domain/delivery/pod-template.ts';
import { conditionOf } from '../../domain/delivery/rollout-readiness.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { isAlreadyThere } from './api-error.ts';
import { openChangeFeed } from './change-feed.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { hexDigest, loadManifests } from './manifest-loading.ts';
import {
  collections,
  createObject,
  deleteObject,
  listObjects,
  readObject,
} from './object-access.ts';
import { podLogLines } from './pod-logs.ts';
import type { Checks, JobManifest, JobRun } from './port.ts';
import { openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { refuseLateWrite } from './release-writes.ts';

type RunRequest = Parameters<Checks['runJob']>[0];
type RunOutcome = Awaited<ReturnType<Checks['runJob']>>;
type JobTarget = Pick<JobRun, 'environment' | 'service' | 'release' | 'epoch' | 'key' | 'job'>;

/** A watch that died goes unnoticed for as long as this; also the beat of the heart. */
const longestSilenceMs = 1_000;

/** A Job's name becomes a label of its pods, which ends at 63 characters. */
const longestPrefix = 52;

const jobRefOf = ({ environment, service, release, epoch, key, job }: JobTarget): ObjectRef => {
  const run = [environment, service, release, String(epoch), key].join('\n');
  const prefix = job.metadata.name.slice(0, longestPrefix).replace(/[^a-z0-9]+$/, '');
  return { ...collections.jobs, name: `${prefix}-${hexDigest(run).slice(0, 10)}` };
};

/**
 * The Job as it is created: under a name that is found again, marked as ours, and reading the
 * config of this release. It is never deleted by its own time limit, or its end could be missed.
 */
export const jobOf = (
  target: JobTarget,
  renamed: readonly { from: string; to: string }[] = [],
): KubernetesObject => {
  const { environment, service, release, epoch, job } = target;
  const copy = copyJson<JobManifest>(job);
  const labels = recordAt(copy, 'metadata')['labels'];
  const object: KubernetesObject = {
    ...copy,
    ...collections.jobs,
    metadata: {
      name: jobRefOf(target).name,
      ...(labels === undefined ? {} : { labels: labels as Record<string, string> }),
      annotations: {
        ...(recordAt(copy, 'metadata', 'annotations') as Record<string, string>),
        [annotations.fence]: String(epoch),
        [annotations.service]: serviceKeyOf({ environment, service }),
        [annotations.release]: release,
        [annotations.createdBy]: release,
        [annotations.temporary]: 'true',
      },
    },
  };
  Reflect.deleteProperty(recordAt(object, 'spec'), 'ttlSecondsAfterFinished');
  const names = new Map(renamed.map(({ from, to }) => [from, to]));
  renameReferences(podSpecOf(object), (reference) => names.get(reference));
  return object;
};

const isOurs = (live: KubernetesObject, { environment, service, release, epoch }: JobTarget) =>
  annotationOf(live, 'service') === serviceKeyOf({ environment, service }) &&
  annotationOf(live, 'createdBy') === release &&
  annotationOf(live, 'fence') === String(epoch);

const notOurs = (ref: ObjectRef): Error =>
  codedFailure({
    code: 'FOREIGN_CHANGE',
    message: `${describeRef(ref)} is there and is not of this release; it was left alone.`,
    subject: describeRef(ref),
  });

/** The uid that an earlier attempt saw: a Job of the same name with another one is not it. */
const earlierUid = (): string | undefined => stringAt(currentAttempt().earlier, 'uid');

const createOnce = async (cluster: Cluster, job: KubernetesObject): Promise<void> => {
  refuseLateWrite(describeRef({ ...job, name: job.metadata.name }));
  try {
    await createObject(cluster, job);
  } catch (error) {
    if (!isAlreadyThere(error)) throw error;
  }
};

/** The Job of this run: the one that is there, or a new one where none ever was. */
const findOrCreate = async (
  deps: ReleaseDeps,
  cluster: Cluster,
  request: RunRequest,
): Promise<KubernetesObject | 'gone'> => {
  const ref = jobRefOf(request);
  const uid = earlierUid();
  let live = await readObject(cluster, ref);
  if (live === undefined && uid === undefined) {
    const { renamed } = await loadManifests(deps.blobs, request.manifestsDigest, cluster.namespace);
    await createOnce(cluster, jobOf(request, renamed));
    live = await readObject(cluster, ref);
  }
  if (live === undefined) return 'gone';
  if (!isOurs(live, request)) throw notOurs(ref);
  return uid !== undefined && live.metadata.uid !== uid ? 'gone' : live;
};

const holds = (job: KubernetesObject, type: 'Complete' | 'Failed'): boolean =>
  conditionOf(job, type)['status'] === 'True';

const endOf = (job: KubernetesObject): Pick<RunOutcome, 'end' | 'note'> | undefined => {
  if (holds(job, 'Complete')) return { end: 'complete', note: 'complete' };
  if (!holds(job, 'Failed')) return undefined;
  const { reason, message } = conditionOf(job, 'Failed');
  return { end: 'failed', note: `failed, ${String(reason)}: ${String(message)}` };
};

const unfinished = (
  job: KubernetesObject,
  deadlineMs: number,
): Pick<RunOutcome, 'end' | 'note'> => {
  const { active = 0, failed = 0 } = recordAt(job, 'status');
  return {
    end: 'unfinished',
    note: `neither complete nor failed after ${String(deadlineMs)} ms; ${String(active)} pods active, ${String(failed)} failed`,
  };
};

const goneFrom = ({ name }: ObjectRef): RunOutcome => ({
  end: 'gone',
  note: 'someone deleted it before it ended',
  name,
  uid: '',
  logDigest: null,
});

const keepLog = async (
  { blobs }: ReleaseDeps,
  cluster: Cluster,
  job: KubernetesObject,
): Promise<string | null> => {
  const labelSelector = `batch.kubernetes.io/job-name=${job.metadata.name}`;
  const { items } = await listObjects(cluster, collections.pods, { labelSelector });
  const lists = await Promise.all(items.slice(0, 10).map((pod) => podLogLines(cluster, pod)));
  const lines = lists.flat();
  if (lines.length === 0) return null;
  return blobs.put(new TextEncoder().encode(`${lines.join('\n')}\n`));
};

/** Creates the Job unless it is there, and waits for its end. */
export const runJob = async (deps: ReleaseDeps, request: RunRequest): Promise<RunOutcome> => {
  const { cluster } = await openPlan(deps, request);
  const ref = jobRefOf(request);
  const attempt = currentAttempt();
  const endsAtMs = (attempt.scheduledAtMs ?? Date.now()) + request.deadlineMs;
  return translated({ subject: describeRef(ref) }, async () => {
    const found = await findOrCreate(deps, cluster, request);
    if (found === 'gone') return goneFrom(ref);
    const uid = found.metadata.uid ?? '';
    const feed = openChangeFeed(cluster, [
      { ...collections.jobs, fieldSelector: `metadata.name=${ref.name}` },
    ]);
    try {
      for (;;) {
        throwIfCancelled(attempt);
        attempt.heartbeat({ uid });
        const live = await readObject(cluster, ref);
        if (live?.metadata.uid !== uid) return goneFrom(ref);
        const isOver = Date.now() >= endsAtMs;
        const end = endOf(live) ?? (isOver ? unfinished(live, request.deadlineMs) : undefined);
        if (end !== undefined) {
          return { ...end, name: ref.name, uid, logDigest: await keepLog(deps, cluster, live) };
        }
        await feed.next(Math.max(10, Math.min(longestSilenceMs, endsAtMs - Date.now())));
      }
    } finally {
      feed.close();
    }
  });
};

/** Deletes the Job with its pods; one of the name that is not of this release is left alone. */
export const deleteJob = async (
  deps: ReleaseDeps,
  request: JobRun,
): Promise<{ deleted: boolean }> => {
  const { cluster } = await openPlan(deps, request);
  const ref = jobRefOf(request);
  return translated({ subject: describeRef(ref) }, async () => {
    const live = await readObject(cluster, ref);
    if (live === undefined || !isOurs(live, request)) return { deleted: false };
    refuseLateWrite(describeRef(ref));
    await deleteObject(cluster, { ref, uid: live.metadata.uid ?? '' });
    return { deleted: true };
  });
};
