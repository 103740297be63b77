import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  backUp,
  createPostgresReleaseRecords,
  migrate,
  openStore,
  postgresReleaseFigures,
  prune,
  restore,
} from '../../../activities/store/postgres/index.ts';
import { endedRelease } from '../../conformance/release-records.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
let directory: string;
let serial = 0;

beforeAll(async () => {
  server = await startPostgresServer();
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-backup-'));
});

afterAll(async () => {
  await server.remove();
  await rm(directory, { recursive: true });
});

const newFile = (): string => path.join(directory, `${String((serial += 1))}.backup`);

const releaseCount = 1_203;

/** Rows of both tables, with what is hard to write down in either language. */
const filledDatabase = async (): Promise<string> => {
  const url = await server.createDatabase();
  await using store = openStore(url);
  await migrate(store);
  const records = createPostgresReleaseRecords({ store });
  await records.add(endedRelease(0, { endedAtMs: 1, leadTimeMs: 0.1 + 0.2 }));
  await prune(store, {
    expiries: [
      {
        records: 'release-records',
        table: 'release_record',
        ageColumn: 'ended_at',
        beforeMs: 1_000,
      },
    ],
  });
  await records.add(
    endedRelease(1, { release: 'tab\tline\nquote"\\ \u2028 🚢', restoreMs: 1e300 }),
  );
  // More than are read, or written, at a time; microseconds are finer than a date in JavaScript.
  await runSql(
    url,
    `insert into holdfast.release_record
     select lpad(to_hex(n), 8, '0'), 'shop', 'production', n::text, 'deployed',
       timestamptz '2026-01-01 00:00:00.123456Z' + n * interval '1 minute', n / 3.0, null
     from generate_series(2, ${String(releaseCount)}) as n`,
  );
  return url;
};

const contentOf = async (url: string): Promise<unknown[]> =>
  Promise.all(
    ['release_record', 'pruned_release_figure', 'migration'].map(async (table) =>
      runSql(
        url,
        `select (to_jsonb(t) - 'applied_at')::text as row from holdfast.${table} t order by 1`,
      ),
    ),
  );

const backUpOf = async (url: string, file = newFile()): Promise<string> => {
  await using store = openStore(url);
  await backUp(store, { file, nowMs: 0 });
  return file;
};

const restoreInto = async (url: string, file: string, replace = false): Promise<unknown> => {
  await using store = openStore(url);
  return await restore(store, { file, replace });
};

type Taken = readonly { number: number; name: string; checksum: string }[];

/** The backup as another version would have written it, with a digest that fits. */
const rewritten = (packed: Buffer, change: (taken: Taken) => Taken): Buffer => {
  const [first = '', ...rest] = gunzipSync(packed).toString().split('\n');
  const head = JSON.parse(first) as { migrations: Taken };
  const changed = JSON.stringify({ ...head, migrations: change(head.migrations) });
  const content = [changed, ...rest.slice(0, -2)].map((line) => `${line}\n`).join('');
  const digest = createHash('sha256').update(content).digest('hex');
  return gzipSync(`${content}E${digest}\n`);
};

describe('a restored backup', () => {
  test('has the content that was backed up, to the last digit, and so do its figures', async () => {
    const [from, to] = [await filledDatabase(), await server.createDatabase()];
    const file = await backUpOf(from);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const outcome = await restoreInto(to, file);
    expect(outcome).toMatchObject({
      takenAt: '1970-01-01T00:00:00.000Z',
      rows: { release_record: releaseCount },
    });
    expect(await contentOf(to)).toEqual(await contentOf(from));
    await using before = openStore(from);
    await using after = openStore(to);
    expect(await postgresReleaseFigures(after)).toEqual(await postgresReleaseFigures(before));
    // A second backup of either is the same, byte by byte.
    expect(gunzipSync(await readFile(await backUpOf(to)))).toEqual(
      gunzipSync(await readFile(file)),
    );
  });

  test('is of one moment, whatever is written meanwhile', async () => {
    const url = await filledDatabase();
    await using store = openStore(url);
    const records = createPostgresReleaseRecords({ store });
    const done = new AbortController();
    const writer = (async () => {
      // Each pair is one transaction: a backup holds both or none.
      for (let n = 0; !done.signal.aborted; n += 1) {
        await runSql(
          url,
          `begin; insert into holdfast.pruned_release_figure values ('pair-${String(n)}', 1);
           insert into holdfast.release_record values
             ('ffff${String(n)}', 'pair', 'production', '${String(n)}', 'deployed', now());
           commit`,
        );
      }
    })();
    await records.all();
    const file = await backUpOf(url);
    done.abort();
    await writer;
    const to = await server.createDatabase();
    await restoreInto(to, file);
    const [counts] = await runSql(
      to,
      `select (select count(*) from holdfast.release_record where service = 'pair')::integer as records,
        (select count(*) from holdfast.pruned_release_figure where series like 'pair-%')::integer
          as figures`,
    );
    expect(counts?.['records']).toBe(counts?.['figures']);
  });

  test('does not go over what is there, unless that is given up', async () => {
    const [from, to] = [await filledDatabase(), await filledDatabase()];
    await runSql(from, `delete from holdfast.release_record where run_id < '00000100'`);
    const file = await backUpOf(from);
    const before = await contentOf(to);
    await expect(restoreInto(to, file)).rejects.toMatchObject({ type: 'STORE_NOT_EMPTY' });
    expect(await contentOf(to)).toEqual(before);
    await restoreInto(to, file, true);
    expect(await contentOf(to)).toEqual(await contentOf(from));
  });

  test('may go into a database that was migrated and holds nothing', async () => {
    const [from, to] = [await filledDatabase(), await server.createDatabase()];
    await using store = openStore(to);
    await migrate(store);
    await restore(store, { file: await backUpOf(from) });
    expect(await contentOf(to)).toEqual(await contentOf(from));
  });
});

describe('a file', () => {
  test('that is there is not overwritten by a backup', async () => {
    const [url, file] = [await filledDatabase(), newFile()];
    await writeFile(file, 'mine');
    await expect(backUpOf(url, file)).rejects.toMatchObject({ type: 'INVALID_INPUT' });
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  test.each<[string, (content: string) => Buffer]>([
    ['is cut off in its lines', (content) => gzipSync(content.slice(0, content.length / 2))],
    ['lacks its end', (content) => gzipSync(content.slice(0, content.lastIndexOf('\nE') + 1))],
    ['has another number in it', (content) => gzipSync(content.replace('"shop"', '"cart"'))],
    ['goes on after its end', (content) => gzipSync(`${content}Tmore\n`)],
    ['is cut off as it was packed', (content) => gzipSync(content).subarray(0, -20)],
    ['is something else', () => Buffer.from('not a backup')],
    ['is empty', () => Buffer.alloc(0)],
  ])('that %s is refused, and the database stays as it was', async (_, change) => {
    const [from, to] = [await filledDatabase(), await filledDatabase()];
    const file = newFile();
    await writeFile(file, change(gunzipSync(await readFile(await backUpOf(from))).toString()));
    const before = await contentOf(to);
    await expect(restoreInto(to, file, true)).rejects.toMatchObject({ type: 'BACKUP_INVALID' });
    expect(await contentOf(to)).toEqual(before);
  });

  test.each([
    ['STORE_NEWER', (taken: Taken) => [...taken, { number: 99, name: 'later', checksum: 'x' }]],
    ['STORE_ALTERED', (taken: Taken) => taken.map((step) => ({ ...step, checksum: 'x' }))],
  ])('from a version that this one does not follow is refused: %s', async (type, change) => {
    const [from, to] = [await filledDatabase(), await server.createDatabase()];
    const file = newFile();
    await writeFile(file, rewritten(await readFile(await backUpOf(from)), change));
    await expect(restoreInto(to, file)).rejects.toMatchObject({ type });
    await restoreInto(to, await backUpOf(from));
  });
});
