import { beforeEach, describe, expect, test } from '@jest/globals';
import type { JobManifest, JobRun } from '../../activities/kubernetes/port.ts';
import { withAnnotations } from '../../domain/delivery/object-fence.ts';
import { createDriver, refs, type DrivenRelease, type ReleaseSite } from './release-driver.ts';

export const countRows = (image: string, spec: object = {}): JobManifest => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'count-rows' },
  spec: {
    ...spec,
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'count', image }] } },
  },
});

const completes = countRows('registry.example/count:1');
const neverEnds = countRows('registry.example/count:3a');
const failsInTime = countRows('registry.example/count:3a', { activeDeadlineSeconds: 1 });

/** The promises of the checks on whatever cluster. */
export const describeChecks = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`checks on ${name}`, () => {
    let site: ReleaseSite;
    let step: DrivenRelease['step'];
    let run: (job: JobManifest, key?: string) => JobRun;

    beforeEach(async () => {
      site = await openSite();
      const driven = await createDriver(site).prepare('1', 1, {});
      const { manifestsDigest } = driven;
      step = driven.step;
      const { preImageDigest: _notNeeded, ...target } = step;
      run = (job, key = 'smoke:1') => ({ ...target, manifestsDigest, job, key });
    });

    const ended = (job: JobManifest, key?: string, deadlineMs = 60_000) =>
      site.checks.runJob({ ...run(job, key), deadlineMs });

    const jobNamed = (jobName: string) =>
      site.get({ apiVersion: 'batch/v1', kind: 'Job', name: jobName });

    test('a Job is run once, however often it is asked for, and deleted once', async () => {
      const first = await ended(completes);
      expect(first).toMatchObject({ end: 'complete', uid: expect.stringMatching(/./) });
      const again = await ended(completes);
      expect(again).toMatchObject({ end: 'complete', name: first.name, uid: first.uid });
      expect(await site.checks.deleteJob(run(completes))).toEqual({ deleted: true });
      expect(await site.checks.deleteJob(run(completes))).toEqual({ deleted: false });
    });

    test('another run of the same Job is another Job', async () => {
      const first = await ended(completes, 'smoke:1');
      const second = await ended(completes, 'smoke:2');
      expect(second.name).not.toBe(first.name);
      await site.checks.deleteJob(run(completes, 'smoke:1'));
      expect(await jobNamed(second.name)).toBeDefined();
    });

    test('a Job that gives up has failed', async () => {
      expect(await ended(failsInTime)).toMatchObject({ end: 'failed' });
    });

    test('a Job that neither completes nor fails in time is unfinished', async () => {
      expect(await ended(neverEnds, 'smoke:1', 500)).toMatchObject({ end: 'unfinished' });
    });

    test('a Job that nobody could delete is left behind, and swept on the way back', async () => {
      const { name: jobName } = await ended(neverEnds, 'smoke:1', 500);
      const { environment, service } = step;
      const ref = { apiVersion: 'batch/v1', kind: 'Job', name: jobName };
      const leftovers = async () => {
        const { rows } = await site.releases.prove({ ...step, direction: 'back' });
        return rows.filter(({ verdict }) => verdict === 'leftover').map(({ object }) => object);
      };
      expect(await leftovers()).toEqual([ref]);
      const sweep = { environment, service, keepReleases: [], unwoundReleases: ['1'] };
      expect(await site.releases.prune({ ...sweep, epoch: 2 })).toEqual({ deleted: [ref] });
      expect(await jobNamed(jobName)).toBeUndefined();
      expect(await leftovers()).toEqual([]);
    });

    test('a Job of a release that went well is swept by the next one', async () => {
      const { name: jobName } = await ended(completes);
      const { environment, service } = step;
      const sweep = { environment, service, keepReleases: ['1'], unwoundReleases: [] };
      expect(await site.releases.prune({ ...sweep, epoch: 1 })).toEqual({ deleted: [] });
      expect((await site.releases.prune({ ...sweep, epoch: 2 })).deleted).toHaveLength(1);
      expect(await jobNamed(jobName)).toBeUndefined();
    });

    test('a Job of that name that is not of the release is left alone', async () => {
      const { name: jobName } = await ended(completes);
      const ref = { apiVersion: 'batch/v1', kind: 'Job', name: jobName };
      await site.edit(ref, (live) => withAnnotations(live, { createdBy: 'someone-else' }));
      await expect(ended(completes)).rejects.toMatchObject({ type: 'FOREIGN_CHANGE' });
      expect(await site.checks.deleteJob(run(completes))).toEqual({ deleted: false });
      expect(await jobNamed(jobName)).toBeDefined();
    });

    test('a Job that would be refused is named before anything is done', async () => {
      const { environment, service, release } = run(completes);
      const broken: JobManifest = { ...completes, spec: { template: { spec: {} } } };
      const jobs = [
        { field: 'smoke[0].job', job: completes },
        { field: 'smoke[1].job', job: broken },
      ];
      const target = { environment, service, release };
      const problems = await site.checks.validate({ ...target, jobs, exec: true });
      expect(problems.map(({ field }) => field)).toEqual(['smoke[1].job']);
    });

    test('no command is run where nothing runs in the pods', async () => {
      const { environment, service } = run(completes);
      const request = { environment, service, object: refs.deployment, command: ['true'] };
      expect(await site.checks.exec({ ...request, timeoutMs: 1_000 })).toEqual({
        measured: false,
        reason: expect.any(String),
      });
    });
  });
};
