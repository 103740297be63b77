import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createFilesystemReleaseRecords } from '../../../activities/store/index.ts';
import {
  createPostgresReleaseRecords,
  migrate,
  openStore,
} from '../../../activities/store/postgres/index.ts';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';
import { endedRelease } from '../../conformance/release-records.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { until } from '../../setup/until.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

const children: WorkerChild[] = [];
let temporal: TestWorkflowEnvironment;
let server: PostgresServer;
let folder: string;
let databaseUrl: string;
let queuePrefix: string;
let serial = 0;

beforeAll(async () => {
  temporal = await connectToTemporal();
  server = await startPostgresServer();
});

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-release-store-'));
  writeFileSync(path.join(folder, 'environments.yaml'), '{"environments":{}}');
  databaseUrl = await server.createDatabase();
  queuePrefix = `release-store-${String((serial += 1))}`;
});

afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended()));
  rmSync(folder, { recursive: true });
});

afterAll(async () => {
  await server.remove();
  await temporal.teardown();
});

const startWorker = (): WorkerChild => {
  const child = startWorkerChild({
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'kubernetes',
    HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
    HOLDFAST_BLOBS: path.join(folder, 'blobs'),
    HOLDFAST_QUEUE_PREFIX: queuePrefix,
    DATABASE_URL: databaseUrl,
  });
  children.push(child);
  return child;
};

const migrated = async (): Promise<void> => {
  await using store = openStore(databaseUrl);
  await migrate(store);
};

const recordsInDatabase = async (): Promise<EndedRelease[]> => {
  await using store = openStore(databaseUrl);
  return await createPostgresReleaseRecords({ store }).all();
};

/** As the run of a release does; it ends when a worker has recorded it. */
const tell = async (release: EndedRelease): Promise<void> => {
  const handle = await temporal.client.activity.start('releaseRecords.add', {
    id: `${queuePrefix}-${release.runId}-${String((serial += 1))}`,
    taskQueue: `${queuePrefix}-kubernetes`,
    startToCloseTimeout: '60s',
    args: [release],
  });
  await handle.result();
};

const deployedCount = async (worker: WorkerChild): Promise<number | undefined> => {
  const response = await fetch(`${await worker.health()}/metrics`);
  if (!response.ok) return undefined;
  const series =
    'holdfast_releases_total{service="shop",environment="production",ending="deployed"} ';
  const line = (await response.text()).split('\n').find((text) => text.startsWith(series));
  return Number(line?.slice(series.length) ?? 0);
};

interface Readiness {
  ready: boolean;
  detail: Record<string, string>;
}

const readiness = async (worker: WorkerChild): Promise<Readiness> =>
  (await (await fetch(`${await worker.health()}/readyz`)).json()) as Readiness;

describe('a worker with a database', () => {
  test('counts each release once while the database is restarted and killed under it', async () => {
    await migrated();
    const worker = startWorker();
    await worker.health();
    const told = Array.from({ length: 60 }, (_, n) => endedRelease(n));
    const telling = told.map(async (release) => tell(release));
    await Promise.race(telling);
    await server.stop();
    await server.start();
    await Promise.race(telling.slice(20));
    await server.kill();
    await server.start();
    await Promise.all(telling);
    // Told again, as by a run that never heard the answer.
    await Promise.all(told.slice(0, 10).map(async (release) => tell(release)));
    const counted = await until(
      async () => deployedCount(worker),
      (count) => count !== undefined && count >= told.length,
    );
    expect(counted).toBe(told.length);
    expect(await recordsInDatabase()).toEqual(told);
  });

  test('records releases, and starts, while the database is away, and says that it is', async () => {
    await migrated();
    const first = startWorker();
    await first.health();
    await server.stop();
    await tell(endedRelease(1));
    expect(await readiness(first)).toMatchObject({
      ready: false,
      detail: { kubernetes: 'polling', store: expect.stringContaining('unreachable') as unknown },
    });
    // No figures are better than wrong ones.
    expect(await deployedCount(first)).toBeUndefined();
    first.signal('SIGKILL');
    await first.ended();

    const second = startWorker();
    await second.health();
    await tell(endedRelease(2));
    await server.start();
    expect(await deployedCount(second)).toBe(2);
    expect(await readiness(second)).toMatchObject({ ready: true, detail: { store: 'reachable' } });
    expect(await recordsInDatabase()).toEqual([endedRelease(1), endedRelease(2)]);
  });

  test('takes over what was kept in files, once, so that what is pruned does not come back', async () => {
    await migrated();
    const files = createFilesystemReleaseRecords({
      directory: path.join(folder, 'blobs', 'releases'),
    });
    for (const n of [1, 2, 3]) await files.add(endedRelease(n));
    const first = startWorker();
    expect(await deployedCount(first)).toBe(3);
    await runSql(databaseUrl, `delete from holdfast.release_record`);
    first.signal('SIGTERM');
    expect((await first.ended()).code).toBe(0);
    expect(await deployedCount(startWorker())).toBe(0);
  });

  test('does not start on a database that was not migrated, and says what to run', async () => {
    const { code, stderr } = await startWorker().ended();
    expect(code).toBe(4);
    expect(stderr).toContain('lacks migrations 1');
    expect(stderr).toContain('holdfast store migrate');
    expect(stderr).not.toContain(new URL(databaseUrl).password);
  });
});
