import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  migrate,
  openStore,
  requireCurrent,
  storeStatus,
} from '../../../activities/store/postgres/index.ts';
import { migrations } from '../../../activities/store/postgres/migrations/index.ts';
import { storeTables } from '../../../activities/store/postgres/schema.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => server.remove());

/** Tables and columns, as the database describes them. */
const shapeOf = async (url: string): Promise<unknown> =>
  runSql(
    url,
    `select table_name, column_name, data_type, is_nullable from information_schema.columns
     where table_schema = 'holdfast' order by 1, 2`,
  );

const refusal = (type: string) => expect.objectContaining({ type, nonRetryable: true }) as unknown;

describe('migrating', () => {
  test('says beforehand, to the letter, what it then does', async () => {
    const [rehearsed, url] = [await server.createDatabase(), await server.createDatabase()];
    await using store = openStore(url);
    const plan = await migrate(store, { dryRun: true });
    expect(await shapeOf(url)).toEqual([]);
    expect(await storeStatus(store)).toMatchObject({ state: 'empty', tables: [] });

    const done = await migrate(store);
    expect(done).toEqual(plan);
    await runSql(rehearsed, plan.statements.join(';\n'));
    expect(await shapeOf(url)).toEqual(await shapeOf(rehearsed));
    expect(await migrate(store)).toEqual({ applied: [], statements: [] });
    const status = await storeStatus(store);
    const numbers = migrations.map(({ number }) => ({ number }));
    expect(status).toMatchObject({ state: 'current', migrations: numbers });
    await requireCurrent(store);
  });

  test('makes exactly the tables that backups and status know of', async () => {
    const url = await server.createDatabase();
    await using store = openStore(url);
    await migrate(store);
    const rows = await runSql(
      url,
      `select table_name from information_schema.tables where table_schema = 'holdfast'`,
    );
    const names = rows.map(({ table_name }) => table_name).filter((name) => name !== 'migration');
    expect(names.toSorted()).toEqual([...storeTables].sort());
    const { tables } = await storeStatus(store);
    expect(tables.map(({ name }) => name)).toEqual([...storeTables]);
  });

  test('by several at once is done by one of them', async () => {
    const url = await server.createDatabase();
    const stores = Array.from({ length: 5 }, () => openStore(url));
    const outcomes = await Promise.all(stores.map(async (store) => migrate(store)));
    for (const store of stores) await store.close();
    expect(outcomes.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });

  test('is all or nothing', async () => {
    const url = await server.createDatabase();
    // The second statement of the first migration meets something that is in its way.
    await runSql(
      url,
      `create schema holdfast; create table holdfast.pruned_release_figure (other integer)`,
    );
    await using store = openStore(url);
    await expect(migrate(store)).rejects.toThrow('already exists');
    expect(await shapeOf(url)).toHaveLength(1);
  });
});

describe('a database that this version does not fit', () => {
  test('is refused where it was not migrated', async () => {
    await using store = openStore(await server.createDatabase());
    await expect(requireCurrent(store)).rejects.toEqual(refusal('STORE_OUTDATED'));
  });

  test.each([
    [
      'a newer version',
      `insert into holdfast.migration values (99, 'later', 'sum')`,
      'STORE_NEWER',
    ],
    ['another content', `update holdfast.migration set checksum = 'x'`, 'STORE_ALTERED'],
  ])('is refused where it has %s', async (_, change, type) => {
    const url = await server.createDatabase();
    await using store = openStore(url);
    await migrate(store);
    const shape = await shapeOf(url);
    await runSql(url, change);
    await expect(requireCurrent(store)).rejects.toEqual(refusal(type));
    await expect(migrate(store)).rejects.toEqual(refusal(type));
    await expect(migrate(store, { dryRun: true })).rejects.toEqual(refusal(type));
    expect(await shapeOf(url)).toEqual(shape);
  });

  test('is told apart from one that cannot be had', async () => {
    const url = new URL(await server.createDatabase());
    const refused = async (change: (other: URL) => void): Promise<unknown> => {
      const other = new URL(url);
      change(other);
      await using store = openStore(other.href);
      return await storeStatus(store).catch((error: unknown) => error);
    };
    expect(await refused((other) => (other.password = 'wrong'))).toEqual(
      refusal('STORE_ACCESS_DENIED'),
    );
    expect(await refused((other) => (other.pathname = '/absent'))).toEqual(
      refusal('STORE_ACCESS_DENIED'),
    );
    expect(await refused((other) => (other.port = '1'))).toMatchObject({
      type: 'STORE_UNREACHABLE',
      nonRetryable: false,
    });
    expect(await refused((other) => (other.search = '?sslmode=verify-full'))).toEqual(
      refusal('STORE_NOT_PRIVATE'),
    );
  });
});
