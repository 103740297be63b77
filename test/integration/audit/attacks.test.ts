import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readHeads } from '../../../activities/store/audit/head-directory.ts';
import { openHeadSigner, type HeadSigner } from '../../../activities/store/audit/head-signer.ts';
import {
  backUp,
  deliverAudit,
  deliverWaiting,
  lastAuditHead,
  makeHead,
  restore,
} from '../../../activities/store/postgres/index.ts';
import { sha256 } from '../../../activities/store/sha256.ts';
import { chainOf, firstChain, leafOf } from '../../../domain/security/audit-record.ts';
import { verifyRecords, type AuditFinding } from '../../../domain/security/audit-verification.ts';
import { appendLeaf, emptyRange } from '../../../domain/security/merkle-tree.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { filledLog, type FilledLog } from './filled-log.ts';

let server: PostgresServer;
let directory: string;
let exported: string;
let signer: HeadSigner;
let filled: FilledLog;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => server.remove());

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-audit-'));
  exported = await mkdtemp(path.join(directory, 'heads-'));
  signer = await openHeadSigner(path.join(directory, 'key'), 'holdfast.example/operations');
  filled = await filledLog(await server.createDatabase(), 20);
  await exportHead();
  await filled.append(20, 17);
  await exportHead();
});

afterEach(async () => {
  await filled.store.close();
  await rm(directory, { recursive: true });
});

const exportHead = async (): Promise<void> => {
  const { store, log } = filled;
  const target = pathToFileURL(exported).href;
  const maker = {
    store,
    signer,
    memoryFile: path.join(directory, 'last-head'),
    targets: [{ name: target, wantsRecords: false }],
  };
  await makeHead(maker, 1_000);
  const { origin, verifierKey } = signer;
  const deliver = deliverAudit({ store, log, origin, verifierKey });
  const round = await deliverWaiting(store, { targets: [target], nowMs: 1_000, deliver });
  expect(round).toMatchObject({ delivered: 1, failure: undefined });
};

const found = async (options: { leaves?: boolean } = {}): Promise<AuditFinding | undefined> => {
  const { heads, leaves } = await readHeads(exported);
  const claimedSize = (await lastAuditHead(filled.store))?.size;
  const anchor = { heads, leaves: options.leaves === false ? [] : leaves, claimedSize };
  const people = await filled.log.people();
  const known = { hash: sha256, log: 'operations', anchor, people };
  return (await verifyRecords(known, filled.log.read({ from: 0 }))).finding;
};

/** The administrator of the database takes the guard away first. */
const attack = async (...statements: string[]): Promise<void> => {
  await runSql(
    filled.url,
    [`alter table holdfast.audit_record disable trigger all`, ...statements].join(';'),
  );
};

/** Makes every hash in the database fit again, as someone who knows how it works would. */
const rehash = async (): Promise<void> => {
  const rows = await runSql(
    filled.url,
    `select position, body from holdfast.audit_record order by position`,
  );
  let [range, chain] = [emptyRange, firstChain];
  const updates: string[] = [];
  for (const { position, body } of rows) {
    const leaf = leafOf(sha256, String(body));
    chain = chainOf(sha256, chain, leaf);
    const appended = appendLeaf(sha256, range, leaf);
    ({ range } = appended);
    const bytes = (parts: readonly Uint8Array[]): string =>
      `'\\x${Buffer.concat(parts).toString('hex')}'`;
    updates.push(
      `update holdfast.audit_record set leaf = ${bytes([leaf])}, chain = ${bytes([chain])},
        nodes = ${bytes(appended.completed)} where position = ${String(position)}`,
    );
  }
  await attack(...updates);
};

test('a log that nobody touched is found as it was exported', async () => {
  expect(await found()).toBeUndefined();
  const { heads, leaves } = await readHeads(exported);
  expect(heads.map(({ size }) => size)).toEqual([20, 37]);
  expect(leaves).toHaveLength(37);
});

describe('an administrator of the database who', () => {
  const changeSeven = `update holdfast.audit_record
    set body = replace(body, '"approve"', '"reject"') where position = 7`;

  test('changes a row is found out at that row', async () => {
    await attack(changeSeven);
    expect(await found()).toMatchObject({ damage: 'changed', position: 7 });
  });

  test('changes a row and makes all hashes anew is found out at that row', async () => {
    await attack(changeSeven);
    await rehash();
    expect(await found()).toMatchObject({ damage: 'changed', position: 7 });
    // With the signed heads alone it is known between which two of them it was.
    expect(await found({ leaves: false })).toMatchObject({
      damage: 'changed',
      position: 0,
      upTo: 19,
    });
  });

  test('changes the last row and makes all hashes anew is found out at that row', async () => {
    await attack(changeSeven.replace('position = 7', 'position = 36'));
    await rehash();
    expect(await found()).toMatchObject({ damage: 'changed', position: 36 });
  });

  test('deletes a row is found out at its place', async () => {
    await attack(`delete from holdfast.audit_record where position = 11`);
    expect(await found()).toMatchObject({ damage: 'deleted', position: 11 });
  });

  test('deletes a row and closes the gap is found out at its place', async () => {
    await attack(
      `alter table holdfast.audit_record drop constraint audit_record_position_check`,
      `delete from holdfast.audit_record where position = 11`,
      `update holdfast.audit_record set position = -position where position > 11`,
      `update holdfast.audit_record set position = -position - 1 where position < 0`,
    );
    await rehash();
    expect(await found()).toMatchObject({ damage: 'deleted', position: 11 });
  });

  test('swaps two rows is found out at the first of them', async () => {
    await attack(
      `update holdfast.audit_record set position = 1000 where position = 5`,
      `update holdfast.audit_record set position = 5 where position = 30`,
      `update holdfast.audit_record set position = 30 where position = 1000`,
    );
    expect(await found()).toMatchObject({ damage: 'swapped', position: 5 });
    await rehash();
    expect(await found()).toMatchObject({ damage: 'swapped', position: 5 });
  });

  test('swaps two neighbours is found out at the first of them', async () => {
    await attack(
      `update holdfast.audit_record set position = 1000 where position = 35`,
      `update holdfast.audit_record set position = 35 where position = 36`,
      `update holdfast.audit_record set position = 36 where position = 1000`,
    );
    expect(await found()).toMatchObject({ damage: 'swapped', position: 35 });
  });

  test('truncates the tail is found out where it ends', async () => {
    await attack(`delete from holdfast.audit_record where position >= 33`);
    expect(await found()).toMatchObject({ damage: 'truncated', position: 33 });
    await expect(exportHead()).rejects.toMatchObject({ type: 'AUDIT_LOG_BROKEN' });
  });

  test('rewrites everything from a row on is found out at that row', async () => {
    await attack(
      `update holdfast.audit_record set body = replace(body, '"approve"', '"reject"')
       where position >= 25`,
    );
    await rehash();
    expect(await found()).toMatchObject({ damage: 'restored', position: 25 });
  });

  test('says that someone else has done it is found out by the name', async () => {
    await runSql(
      filled.url,
      `update holdfast.audit_person set name = 'bob' where name like 'ana-1%'`,
    );
    expect(await found()).toMatchObject({ damage: 'changed', position: 1 });
  });
});

describe('an older backup that is restored', () => {
  beforeEach(async () => {
    const file = path.join(directory, 'older.backup');
    await backUp(filled.store, { file, nowMs: 0 });
    await filled.append(37, 8);
    await exportHead();
    expect(await found()).toBeUndefined();
    await restore(filled.store, { file, replace: true });
  });

  test('is found out where it ends, and no head is signed for it', async () => {
    expect(await found()).toMatchObject({ damage: 'restored', position: 37 });
    await expect(exportHead()).rejects.toMatchObject({ type: 'AUDIT_LOG_BROKEN' });
  });

  test('is found out also when the log was written on', async () => {
    await filled.append(100, 30);
    expect(await found()).toMatchObject({ damage: 'restored', position: 37 });
    await expect(exportHead()).rejects.toMatchObject({ type: 'AUDIT_LOG_BROKEN' });
  });
});
