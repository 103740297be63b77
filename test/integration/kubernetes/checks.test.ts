import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { JobManifest } from '../../../activities/kubernetes/port.ts';
import { podSpecOf, referencesIn } from '../../../domain/delivery/pod-template.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { countRows, describeChecks } from '../../conformance/checks.ts';
import { createDriver } from '../../conformance/release-driver.ts';
import { levelOneSandbox } from './level-one.ts';
import { openRealSite, type RealSite } from './real-site.ts';

let sandbox: Sandbox;
const sites: RealSite[] = [];

const openSite = async (): Promise<RealSite> => {
  const site = await openRealSite(sandbox);
  sites.push(site);
  return site;
};

beforeAll(async () => {
  sandbox = await levelOneSandbox();
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
});

describeChecks('a real API server', openSite);

const readingConfig = (): JobManifest => {
  const envFrom = [{ configMapRef: { name: 'shop-settings' } }];
  const container = { name: 'count', image: 'registry.example/count:1', envFrom };
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };
  return { ...countRows(''), spec: { ttlSecondsAfterFinished: 0, template } };
};

test('a Job reads the config of the release, and Kubernetes does not delete it by itself', async () => {
  const site = await openSite();
  const { step, manifestsDigest } = await createDriver(site).prepare('1', 1, {});
  const { name } = await site.checks.runJob({
    ...step,
    manifestsDigest,
    job: readingConfig(),
    key: 'smoke:1',
    deadlineMs: 60_000,
  });
  const live = await site.get({ apiVersion: 'batch/v1', kind: 'Job', name });
  if (live === undefined) throw new Error('the Job is gone');
  expect(referencesIn(podSpecOf(live))).toEqual([
    expect.stringMatching(/^ConfigMap\/shop-settings-[0-9a-f]{10}$/),
  ]);
  expect(live['spec']).not.toHaveProperty('ttlSecondsAfterFinished');
});

test('a Job whose pods a Service would send traffic to is refused', async () => {
  const site = await openSite();
  await createDriver(site).deployed('1', 1);
  const job = countRows('registry.example/count:1');
  const { template } = job['spec'] as { template: object };
  const labelled = { ...template, metadata: { labels: { app: 'shop' } } };
  const problems = await site.checks.validate({
    environment: site.environment,
    service: 'shop',
    release: '2',
    jobs: [{ field: 'smoke[0].job', job: { ...job, spec: { template: labelled } } }],
    exec: false,
  });
  expect(problems).toEqual([
    { field: 'smoke[0].job', reason: expect.stringContaining('Service/shop selects its pods') },
  ]);
});
