import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createPostgresReleaseRecords,
  migrate,
  openStore,
  postgresReleaseFigures,
  prune,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import { releaseFigures } from '../../../domain/delivery/delivery-metrics.ts';
import { expiriesAt } from '../../../domain/store/prune-rules.ts';
import { describeReleaseRecords, endedRelease } from '../../conformance/release-records.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
const stores: Store[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => {
  for (const store of stores) await store.close();
  await server.remove();
});

const openMigrated = async (): Promise<Store> => {
  const store = openStore(await server.createDatabase());
  stores.push(store);
  await migrate(store);
  return store;
};

describeReleaseRecords('PostgreSQL', async () =>
  createPostgresReleaseRecords({ store: await openMigrated() }),
);

describe('records that are older than their rule allows', () => {
  const dayMs = 86_400_000;
  const nowMs = Date.UTC(2026, 5, 1);
  const told = [
    endedRelease(1, { endedAtMs: nowMs - 900 * dayMs, leadTimeMs: 600_000 }),
    endedRelease(2, { endedAtMs: nowMs - 800 * dayMs, ending: 'failed', restoreMs: 5_000 }),
    endedRelease(3, { endedAtMs: nowMs - 700 * dayMs, leadTimeMs: 1_200_000 }),
    endedRelease(4, { endedAtMs: nowMs - dayMs, service: 'cart', ending: 'aborted', restoreMs: 1 }),
  ];
  const expiries = (keepMs?: number) => {
    const outcome = expiriesAt(nowMs, keepMs === undefined ? {} : { 'release-records': keepMs });
    if ('refused' in outcome) throw new Error(outcome.refused);
    return outcome.expiries;
  };

  test('go, while every figure of delivery stays as it was', async () => {
    const store = await openMigrated();
    const records = createPostgresReleaseRecords({ store });
    for (const record of told) await records.add(record);
    const before = await postgresReleaseFigures(store);
    expect(before).toEqual(releaseFigures(told));

    expect(await prune(store, { expiries: expiries(), dryRun: true })).toMatchObject([{ rows: 2 }]);
    expect(await records.all()).toHaveLength(4);

    expect(await prune(store, { expiries: expiries() })).toMatchObject([{ rows: 2 }]);
    expect(await records.all()).toEqual(told.slice(2));
    expect(await postgresReleaseFigures(store)).toEqual(before);

    // What went earlier and what goes now are added up.
    expect(await prune(store, { expiries: expiries(30 * dayMs) })).toMatchObject([{ rows: 1 }]);
    expect(await prune(store, { expiries: expiries(30 * dayMs) })).toMatchObject([{ rows: 0 }]);
    expect(await records.all()).toEqual(told.slice(3));
    expect(await postgresReleaseFigures(store)).toEqual(before);
  });
});

describe('a database that goes away', () => {
  test('loses no record whose writing was reported, and takes a repeat of all others once', async () => {
    const store = await openMigrated();
    const records = createPostgresReleaseRecords({ store });
    const told = Array.from({ length: 300 }, (_, serial) => endedRelease(serial));
    const written: string[] = [];
    const writing = (async () => {
      for (const record of told) {
        const outcome = await records.add(record).catch((error: unknown) => error);
        if (outcome === undefined) written.push(record.runId);
        else expect(outcome).toMatchObject({ type: 'STORE_UNREACHABLE', nonRetryable: false });
      }
    })();
    while (written.length < 20) await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    await writing;
    await expect(records.all()).rejects.toMatchObject({ type: 'STORE_UNREACHABLE' });

    await server.start();
    const kept = (await records.all()).map(({ runId }) => runId);
    expect(kept).toEqual(expect.arrayContaining(written));
    expect(written.length).toBeLessThan(told.length);
    for (const record of told) await records.add(record);
    expect(await records.all()).toEqual(told);
  });
});
