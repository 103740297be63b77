import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createPostgresAuditLog, openStore } from '../../../activities/store/postgres/index.ts';
import { sha256 } from '../../../activities/store/sha256.ts';
import { verifyRecords } from '../../../domain/security/audit-verification.ts';
import { equalHashes, rootOf } from '../../../domain/security/merkle-tree.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { auditEntry, filledLog, type FilledLog } from './filled-log.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => server.remove());

const emptyAnchor = { heads: [], leaves: [] };

const verified = async ({ log }: Pick<FilledLog, 'log'>) =>
  verifyRecords(
    { hash: sha256, log: 'operations', anchor: emptyAnchor, people: [] },
    log.read({ from: 0 }),
  );

describe('what is appended', () => {
  test('has positions without gaps, however many write at once', async () => {
    await using filled = await filledLog(await server.createDatabase(), 0);
    await using second = openStore(filled.url);
    const logs = [filled.log, createPostgresAuditLog({ store: second })];
    const places = await Promise.all(
      Array.from({ length: 200 }, async (_, serial) =>
        logs[serial % 2]?.append([auditEntry(2 * serial), auditEntry(2 * serial + 1)]),
      ),
    );
    const positions = places.flatMap((place) => place?.positions ?? []);
    expect(positions.toSorted((a, b) => a - b)).toEqual(positions.map((_, index) => index));
    expect(await verified(filled)).toMatchObject({ size: 400, finding: undefined });
    const range = await filled.log.rangeAt(400);
    expect(equalHashes(rootOf(sha256, range), (await verified(filled)).root)).toBe(true);
  });

  test('is there once, however often it is told', async () => {
    await using filled = await filledLog(await server.createDatabase(), 5);
    const again = [auditEntry(3), auditEntry(9), auditEntry(9), auditEntry(1)];
    expect(await filled.log.append(again)).toEqual({ positions: [3, 5, 5, 1] });
    expect(await filled.log.size()).toBe(6);
  });

  test('that cannot be written fails nobody else', async () => {
    await using filled = await filledLog(await server.createDatabase(), 0);
    const told = await Promise.allSettled([
      filled.log.append([auditEntry(1)]),
      filled.log.append([auditEntry(2, { reason: '\ud800' })]),
      filled.log.append([auditEntry(3)]),
    ]);
    expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await verified(filled)).toMatchObject({ size: 2, finding: undefined });
  });

  test('survives a crash of the server, if it was reported', async () => {
    await using filled = await filledLog(await server.createDatabase(), 0);
    let told = 0;
    const writing = (async () => {
      for (let serial = 0; ; serial += 1) {
        await filled.log.append([auditEntry(serial)]);
        told += 1;
      }
    })();
    while (told < 20) await new Promise((resolve) => setImmediate(resolve));
    await server.kill();
    await expect(writing).rejects.toMatchObject({ type: 'STORE_UNREACHABLE' });
    await server.start();
    const { size, finding } = await verified(filled);
    expect(finding).toBeUndefined();
    expect(size).toBeGreaterThanOrEqual(told);
    await filled.append(0, size + 10);
    expect(await verified(filled)).toMatchObject({ size: size + 10, finding: undefined });
  });
});

describe('an intent', () => {
  test('is named until its outcome is known', async () => {
    await using filled = await filledLog(await server.createDatabase(), 3);
    const about = { phase: 'intent', correlation: 'run-x', action: 'deploy' } as const;
    await filled.log.append([
      auditEntry(10, about),
      auditEntry(11, { ...about, phase: 'effect' }),
      auditEntry(12, { ...about, correlation: 'run-y' }),
    ]);
    const open = async () => filled.log.openIntents({ beforeMs: auditEntry(50).atMs, limit: 10 });
    expect(await open()).toMatchObject([
      { position: 3, correlation: 'run-x', atMs: auditEntry(10).atMs, action: 'deploy' },
      { position: 5, correlation: 'run-y' },
    ]);
    await filled.log.append([auditEntry(13, { ...about, phase: 'outcome' })]);
    expect(await open()).toMatchObject([{ correlation: 'run-y' }]);
    expect(await filled.log.openIntents({ beforeMs: auditEntry(12).atMs, limit: 10 })).toEqual([]);
  });
});

describe('the database', () => {
  /** A login of the server that may do what a worker does, and no more. */
  const loginAsWriter = async (url: string): Promise<Client> => {
    const name = `worker_${String(Date.now())}`;
    await runSql(url, `create role ${name} login password 'w' in role holdfast_audit_writer`);
    const client = new Client({
      connectionString: Object.assign(new URL(url), { username: name, password: 'w' }).href,
    });
    await client.connect();
    return client;
  };

  test.each([
    `update holdfast.audit_record set body = '{}'`,
    `delete from holdfast.audit_record`,
    `truncate holdfast.audit_record`,
    `update holdfast.audit_head set note = ''`,
    `alter table holdfast.audit_record disable trigger all`,
    `drop table holdfast.audit_record`,
    `update holdfast.audit_person set name = 'bob'`,
    `set role holdfast_audit_owner`,
  ])('refuses a writer: %s', async (statement) => {
    await using filled = await filledLog(await server.createDatabase(), 3);
    const client = await loginAsWriter(filled.url);
    try {
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
      const { rows } = await client.query('select position from holdfast.audit_record');
      expect(rows).toHaveLength(3);
    } finally {
      await client.end();
    }
  });

  test.each([
    `update holdfast.audit_record set body = '{}'`,
    `delete from holdfast.audit_record`,
    `truncate holdfast.audit_record`,
    `set session_replication_role = replica; delete from holdfast.audit_record`,
  ])('refuses its administrator too, who has not taken the guard away: %s', async (statement) => {
    await using filled = await filledLog(await server.createDatabase(), 3);
    await expect(runSql(filled.url, statement)).rejects.toThrow('only grows');
    expect(await filled.log.size()).toBe(3);
  });

  test('lets someone who may make schemas and roles migrate, and leaves them no right to change', async () => {
    // The roles belong to the server: they may be there from another database.
    await using other = await filledLog(await server.createDatabase(), 1);
    expect(await other.log.size()).toBe(1);
    const url = await server.createDatabase();
    const name = `deployer_${String(Date.now())}`;
    const { pathname } = new URL(url);
    await runSql(
      url,
      `create role ${name} login createrole password 'd';
       grant create on database ${pathname.slice(1)} to ${name};
       grant holdfast_audit_owner, holdfast_audit_writer to ${name}
         with admin true, inherit false, set false`,
    );
    const own = Object.assign(new URL(url), { username: name, password: 'd' }).href;
    await using filled = await filledLog(own, 4);
    expect(await verified(filled)).toMatchObject({ size: 4, finding: undefined });
    await expect(
      runSql(own, `alter table holdfast.audit_record disable trigger all`),
    ).rejects.toMatchObject({ code: '42501' });
  });
});

describe('a person', () => {
  test('can be forgotten, while every record stays proven', async () => {
    await using filled = await filledLog(await server.createDatabase(), 6);
    const [row] = await runSql(
      filled.url,
      `select string_agg(body, '') as bodies from holdfast.audit_record`,
    );
    expect(row?.['bodies']).not.toContain('example.com');
    expect((await filled.log.people()).map(({ name }) => name).toSorted()).toEqual(
      [0, 1, 2].map((serial) => `ana-${String(serial)}@example.com`),
    );
    await runSql(
      filled.url,
      `update holdfast.audit_person set name = null, salt = null where name like 'ana-1%'`,
    );
    expect(await filled.log.people()).toHaveLength(2);
    expect(await verified(filled)).toMatchObject({ size: 6, finding: undefined });
  });
});
