import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  createPostgresReleaseRecords,
  openStore,
} from '../../../activities/store/postgres/index.ts';
import { endedRelease } from '../../conformance/release-records.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { openTerminal, type Ended, type UserTerminal } from './user-terminal.ts';

let server: PostgresServer;
let directory: string;
let databaseUrl: string;

beforeAll(async () => {
  server = await startPostgresServer();
});

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-store-verbs-'));
  databaseUrl = await server.createDatabase();
});

afterEach(async () => rm(directory, { recursive: true }));

afterAll(async () => server.remove());

const terminalFor = (url: string): UserTerminal =>
  openTerminal(
    {
      directory,
      // Nothing here asks Temporal.
      temporalAddress: '127.0.0.1:1',
      temporalNamespace: 'default',
      blobsDirectory: path.join(directory, 'blobs'),
      workflowBundlePath: '',
      databaseUrl: url,
    },
    'store-verbs',
  );

const store = async (args: readonly string[], url = databaseUrl): Promise<Ended> => {
  const ended = await terminalFor(url).holdfast(['store', ...args]);
  const { password } = new URL(databaseUrl);
  expect(ended.stdout + ended.stderr).not.toContain(password);
  return ended;
};

const tell = async (...serials: number[]): Promise<void> => {
  await using opened = openStore(databaseUrl);
  const records = createPostgresReleaseRecords({ store: opened });
  for (const serial of serials) await records.add(endedRelease(serial));
};

describe('holdfast store', () => {
  test('prints what it would do, does it, and says how it stands before and after', async () => {
    const before = await store(['status']);
    expect(before).toMatchObject({ exitCode: 1 });
    expect(before.stderr).toContain('holdfast store migrate');
    const plan = await store(['migrate', '--dry-run']);
    expect(plan.exitCode).toBe(0);
    expect(plan.stdout).toContain('create table holdfast.release_record');
    expect(await store(['status', '--json'])).toMatchObject({ exitCode: 1 });

    expect(await store(['migrate'])).toMatchObject({ exitCode: 0, stdout: '' });
    const after = await store(['status', '--json']);
    expect(after.exitCode).toBe(0);
    expect(JSON.parse(after.stdout)).toMatchObject({ state: 'current' });
    // The SQL is for whoever keeps migrations to themselves: it must run as it is printed.
    await runSql(await server.createDatabase(), plan.stdout);
  });

  test('backs up, refuses to overwrite, and restores where it was told to', async () => {
    await store(['migrate']);
    await tell(1, 2, 3);
    expect(await store(['backup', 'monday.backup'])).toMatchObject({ exitCode: 0 });
    expect(await store(['backup', 'monday.backup'])).toMatchObject({ exitCode: 2 });
    await tell(4);
    const refused = await store(['restore', 'monday.backup']);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('STORE_NOT_EMPTY');
    expect(refused.stderr).toContain('--replace');
    const restored = await store(['restore', 'monday.backup', '--replace', '--json']);
    expect(restored.exitCode).toBe(0);
    expect(JSON.parse(restored.stdout)).toMatchObject({ rows: { release_record: 3 } });
    expect(await readdir(directory)).toEqual(['monday.backup']);
  });

  test('prunes by the rules, or by what was asked for instead', async () => {
    await store(['migrate']);
    await tell(1, 2);
    const rehearsed = await store(['prune', '--dry-run']);
    expect(rehearsed.stdout).toMatch(/^release-records: 2 from before .* would be removed\n$/);
    const kept = await store(['prune', '--keep', 'release-records=36500d', '--json']);
    expect(JSON.parse(kept.stdout)).toMatchObject({ pruned: [{ rows: 0 }] });
    expect((await store(['prune'])).stdout).toMatch(
      /^release-records: 2 from before .* removed\n$/,
    );
    for (const keep of ['release-records=1d', 'release-records', 'release-records=long', 'x=40d']) {
      expect(await store(['prune', '--keep', keep])).toMatchObject({ exitCode: 2, stdout: '' });
    }
  });

  test('says which setting is missing or wrong', async () => {
    for (const url of ['', 'nonsense', 'postgres://ana:x@db.example.com/x?sslmode=disable']) {
      const { exitCode, stderr } = await store(['status'], url);
      expect(exitCode).toBe(78);
      expect(stderr).toContain('DATABASE_URL');
    }
    const gone = Object.assign(new URL(databaseUrl), { port: '1' }).href;
    expect(await store(['status'], gone)).toMatchObject({ exitCode: 69 });
  });
});
