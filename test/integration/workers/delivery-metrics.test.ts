import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

const queuePrefix = 'delivery-metrics-test';
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-figures-'));
let temporal: TestWorkflowEnvironment;
const children: WorkerChild[] = [];

beforeAll(async () => {
  temporal = await connectToTemporal();
  writeFileSync(path.join(folder, 'environments.yaml'), '{"environments":{}}');
});

afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended()));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await temporal.teardown();
});

const startWorker = (): WorkerChild => {
  const child = startWorkerChild({
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'kubernetes',
    HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
    HOLDFAST_BLOBS: path.join(folder, 'blobs'),
    HOLDFAST_QUEUE_PREFIX: queuePrefix,
  });
  children.push(child);
  return child;
};

const deployed: EndedRelease = {
  runId: '0191f0a0-0000-7000-8000-000000000001',
  service: 'shop',
  environment: 'production',
  release: '1',
  ending: 'deployed',
  endedAtMs: 2_000_000,
  leadTimeMs: 1_800_000,
};

const failed: EndedRelease = {
  runId: '0191f0a0-0000-7000-8000-000000000002',
  service: 'shop',
  environment: 'production',
  release: '2',
  ending: 'failed',
  endedAtMs: 3_000_000,
  restoreMs: 12_500,
};

let serial = 0;

const record = async (release: EndedRelease): Promise<void> => {
  serial += 1;
  const handle = await temporal.client.activity.start('releaseRecords.add', {
    id: `record-${String(serial)}`,
    taskQueue: `${queuePrefix}-kubernetes`,
    startToCloseTimeout: '20s',
    args: [release],
  });
  await handle.result();
};

/** What Prometheus would keep of a scrape: each series with its number. */
const scrape = async (worker: WorkerChild): Promise<Record<string, number>> => {
  const response = await fetch(`${await worker.health()}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await response.text()).split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
};

const place = 'service="shop",environment="production"';

test('a worker shows each release once, also after it was killed and the release told again', async () => {
  const first = startWorker();
  await record(deployed);
  await record(deployed);
  const before = await scrape(first);
  expect(before[`holdfast_releases_total{${place},ending="deployed"}`]).toBe(1);
  expect(before[`holdfast_releases_total{${place},ending="failed"}`]).toBe(0);
  first.signal('SIGKILL');
  await first.ended();

  const second = startWorker();
  expect(await scrape(second)).toEqual(before);
  await record(deployed);
  await record(failed);
  expect(await scrape(second)).toMatchObject({
    [`holdfast_releases_total{${place},ending="deployed"}`]: 1,
    [`holdfast_releases_total{${place},ending="failed"}`]: 1,
    [`holdfast_releases_total{${place},ending="aborted"}`]: 0,
    [`holdfast_release_lead_time_seconds_bucket{${place},le="600"}`]: 0,
    [`holdfast_release_lead_time_seconds_bucket{${place},le="3600"}`]: 1,
    [`holdfast_release_lead_time_seconds_sum{${place}}`]: 1_800,
    [`holdfast_release_lead_time_seconds_count{${place}}`]: 1,
    [`holdfast_release_restore_seconds_bucket{${place},le="10"}`]: 0,
    [`holdfast_release_restore_seconds_bucket{${place},le="30"}`]: 1,
    [`holdfast_release_restore_seconds_sum{${place}}`]: 12.5,
  });
});
