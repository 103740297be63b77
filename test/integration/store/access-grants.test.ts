import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAccessGate, type AccessGate } from '../../../activities/identity/index.ts';
import {
  backUp,
  createPostgresAccessGrants,
  migrate,
  openAccessDatabase,
  openStore,
  restore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import { createCaller } from '../../../client/caller.ts';
import { readSurroundings } from '../../../client/config.ts';
import { openIdentity } from '../../../workers/access.ts';
import { readConfig } from '../../../workers/config.ts';
import { describeAccessGrants, grantTo } from '../../conformance/access-grants.ts';
import { accessFile, createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
let folder: AccessFolder;
const stores: Store[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
  folder = createAccessFolder({ managed: { roles: { operator: {} } } });
}, 60_000);

afterAll(async () => {
  for (const store of stores) await store.close();
  folder.remove();
  await server.remove();
});

const openMigrated = async (url: string): Promise<Store> => {
  const store = openStore(url);
  stores.push(store);
  await migrate(store);
  return store;
};

const grantsIn = async (url: string) =>
  createPostgresAccessGrants({ store: await openMigrated(url) });

describeAccessGrants('PostgreSQL', async () => grantsIn(await server.createDatabase()));

describe('versions of what was given', () => {
  /** As a worker whose login is not that of who migrates. */
  const loginAsWriter = async (url: string): Promise<string> => {
    const name = `worker_${String(Date.now())}`;
    await runSql(url, `create role ${name} login password 'w' in role holdfast_audit_writer`);
    return Object.assign(new URL(url), { username: name, password: 'w' }).href;
  };

  test.each([
    `update holdfast.access_grant_list set grants = '[]'`,
    `delete from holdfast.access_grant_list`,
    `truncate holdfast.access_grant_list`,
    `alter table holdfast.access_grant_list disable trigger all`,
    `drop table holdfast.access_grant_list`,
  ])('stay, for a worker and for whoever has not taken the guard away: %s', async (statement) => {
    const url = await server.createDatabase();
    await grantsIn(url);
    const login = await loginAsWriter(url);
    await using store = openStore(login);
    const grants = createPostgresAccessGrants({ store });
    const list = await grants.write({ id: 'a', basedOn: 0, grants: [grantTo('ana@example.com')] });
    await expect(runSql(login, statement)).rejects.toMatchObject({ code: '42501' });
    if (/^(?:update|delete|truncate)/.test(statement)) {
      await expect(runSql(url, statement)).rejects.toThrow('only grows');
    }
    expect(await grants.current()).toEqual(list);
  });

  test('are in a backup, and are there again after it was restored', async () => {
    const [from, to] = [await server.createDatabase(), await server.createDatabase()];
    const grants = await grantsIn(from);
    const given = [grantTo('ana@example.com', { untilMs: 1_780_000_000_123 })];
    const list = await grants.write({ id: 'a', basedOn: 0, grants: given });
    const file = folder.pathOf('store.backup');
    await backUp(await openMigrated(from), { file, nowMs: 0 });
    const store = await openMigrated(to);
    expect((await restore(store, { file })).rows).toMatchObject({ access_grant_list: 1 });
    const restored = createPostgresAccessGrants({ store });
    expect(await restored.written('a')).toEqual(list);
    const next = await restored.write({ id: 'b', basedOn: 1, grants: [] });
    expect(next.version).toBe(2);
  });
});

const question = { action: 'deployService.setWeight', environment: 'prod', service: 'shop' };
const nina = 'nina@example.com';

/** Who is asking: allowed, refused, or the code of why neither is known. */
const answerOf = async (gate: AccessGate, atMs = Date.now()): Promise<string> =>
  gate.permit(await gate.personNamed(nina), question, atMs).then(
    () => 'allowed',
    (error: unknown) => String((error as { type?: unknown }).type),
  );

describe('a role that was given', () => {
  test('lets its holder in at the next question, and no longer than it is theirs', async () => {
    const url = await server.createDatabase();
    const grants = await grantsIn(url);
    const { gate, close } = await openIdentity(
      readConfig({
        HOLDFAST_POOLS: 'orchestration',
        HOLDFAST_ACCESS: folder.file,
        DATABASE_URL: url,
      }),
    );
    if (gate === undefined) throw new Error('the worker checks nobody');
    try {
      const atMs = Date.now();
      expect(await answerOf(gate)).toBe('PERMISSION_DENIED');
      const given = grantTo(nina, { untilMs: atMs + 3_600_000 });
      await grants.write({ id: 'a', basedOn: 0, grants: [given] });
      expect(await answerOf(gate, atMs)).toBe('allowed');
      expect(await answerOf(gate, atMs + 3_600_000)).toBe('PERMISSION_DENIED');

      await server.stop();
      expect(await answerOf(gate, atMs)).toBe('STORE_UNREACHABLE');
      await expect(gate.whoMay(question, atMs)).rejects.toMatchObject({ nonRetryable: false });
      await server.start();
      expect(await answerOf(gate, atMs)).toBe('allowed');

      await (await gate.grants()).write({ id: 'b', basedOn: 1, grants: [] });
      expect(await answerOf(gate, atMs)).toBe('PERMISSION_DENIED');
    } finally {
      await close();
    }
  });

  test('lets nobody in where the database lacks the table', async () => {
    const { close, ...stored } = openAccessDatabase(await server.createDatabase());
    try {
      expect(await answerOf(openAccessGate(folder.file, stored))).toBe('STORE_OUTDATED');
    } finally {
      await close();
    }
  });
});

describe('a caller', () => {
  const refusalOf = async (file: string, databaseUrl?: string): Promise<unknown> => {
    const { text } = await folder.keyFor(nina);
    const surroundings = {
      ...readSurroundings({ env: {}, workingDirectory: folder.pathOf('.') }),
      ...{ accessFile: file, accessKey: text, databaseUrl },
    };
    const caller = await createCaller({ surroundings, namedActor: undefined });
    try {
      await caller.permit(nina, question);
      return undefined;
    } catch (error) {
      return (error as { code?: unknown }).code;
    } finally {
      await caller.close();
    }
  };

  test('without a database leaves a no to the run, where roles are given', async () => {
    expect(await refusalOf(folder.file)).toBeUndefined();
    expect(await refusalOf(folder.write('plain.yaml', accessFile))).toBe('PERMISSION_DENIED');
  });

  test('with one is refused before anything is sent, unless the role was given', async () => {
    const url = await server.createDatabase();
    const grants = await grantsIn(url);
    expect(await refusalOf(folder.file, url)).toBe('PERMISSION_DENIED');
    await grants.write({ id: 'a', basedOn: 0, grants: [grantTo(nina)] });
    expect(await refusalOf(folder.file, url)).toBeUndefined();
  });
});
