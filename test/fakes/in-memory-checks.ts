import type { Checks, JobRun } from '../../activities/kubernetes/port.ts';
import { describeRef, type ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { annotationOf, serviceKeyOf, withAnnotations } from '../../domain/delivery/object-fence.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failure, sha256 } from './in-memory-failure.ts';
import { pause, surroundings } from './in-memory-workloads.ts';

/** What checks find; a test sets it before or during a run. */
export interface CheckKnobs {
  /** Exit code of every command; null did not end, undefined runs nothing in pods. */
  exitCode: number | null | undefined;
  /** How Jobs end; undefined never do. */
  jobsEnd: 'complete' | 'failed' | undefined;
  /** Jobs cannot be deleted. */
  keepsJobs?: boolean;
  /** Names of the Jobs that were created, in order. */
  readonly jobs: string[];
}

const jobRefOf = ({ environment, service, release, epoch, key, job }: JobRun): ObjectRef => {
  const run = sha256([environment, service, release, String(epoch), key].join('\n')).slice(0, 10);
  return { apiVersion: 'batch/v1', kind: 'Job', name: `${job.metadata.name}-${run}` };
};

/** As the sandbox plays it: pods of `:3a` never end, unless the Job itself gives up on them. */
const endOf = (job: JobRun['job'], { jobsEnd }: CheckKnobs): CheckKnobs['jobsEnd'] => {
  const text = JSON.stringify(job);
  if (!text.includes(':3a"')) return jobsEnd;
  return text.includes('activeDeadlineSeconds') ? 'failed' : undefined;
};

/** Checks whose results are what the knobs say; Jobs are objects like all others. */
export const createInMemoryChecks = (deps: InMemoryDeps): { checks: Checks; knobs: CheckKnobs } => {
  const knobs: CheckKnobs = { exitCode: undefined, jobsEnd: 'complete', jobs: [] };
  const isOurs = (request: JobRun): boolean => {
    const live = deps.state.get(jobRefOf(request));
    return live !== undefined && annotationOf(live, 'createdBy') === request.release;
  };
  const create = (request: JobRun): void => {
    const ref = jobRefOf(request);
    const { service, release, epoch } = request;
    if (deps.state.get(ref) !== undefined) {
      if (isOurs(request)) return;
      throw failure('FOREIGN_CHANGE', `${describeRef(ref)} is there`, describeRef(ref));
    }
    const object = { ...request.job, ...ref, metadata: { name: ref.name } };
    deps.state.put(
      withAnnotations(object, {
        service: serviceKeyOf(request),
        createdBy: release,
        release,
        fence: String(epoch),
        temporary: 'true',
      }),
    );
    knobs.jobs.push(`${service}: ${ref.name}`);
  };
  const checks: Checks = {
    validate: ({ jobs }) =>
      Promise.resolve(
        jobs.flatMap(({ field, job }) =>
          JSON.stringify(job).includes('"containers"')
            ? []
            : [{ field, reason: 'a Job needs containers' }],
        ),
      ),
    exec: ({ environment }) => {
      const { exitCode } = knobs;
      const reason = `${environment} runs nothing in its pods`;
      if (exitCode === undefined) return Promise.resolve({ measured: false, reason });
      const answer = exitCode === 0 ? 'fine' : 'not fine';
      return Promise.resolve({
        measured: true,
        pod: 'pod-1',
        exitCode,
        answer,
        outputDigest: null,
      });
    },
    async runJob(request) {
      create(request);
      const ref = jobRefOf(request);
      const { name } = ref;
      const endsAtMs = Date.now() + request.deadlineMs;
      while (Date.now() < endsAtMs) {
        const uid = deps.state.get(ref)?.metadata.uid ?? '';
        surroundings().heartbeat({ uid });
        if (uid === '') return { end: 'gone', note: 'it is gone', name, uid, logDigest: null };
        const end = endOf(request.job, knobs);
        if (end !== undefined) {
          const logDigest = await deps.blobs.put(new TextEncoder().encode(`log of ${ref.name}`));
          return { end, note: end, name, uid, logDigest };
        }
        await pause(deps);
      }
      const uid = deps.state.get(ref)?.metadata.uid ?? '';
      return { end: 'unfinished', note: 'neither complete nor failed', name, uid, logDigest: null };
    },
    deleteJob: (request) => {
      if (knobs.keepsJobs === true) throw failure('FOREIGN_CHANGE', 'it may not be deleted');
      const deleted = isOurs(request);
      if (deleted) deps.state.delete(jobRefOf(request));
      return Promise.resolve({ deleted });
    },
  };
  return { checks, knobs };
};
