import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { exportTargets, openHeadSigner, readHeads } from '../../../activities/store/audit/index.ts';
import { openNote } from '../../../activities/store/audit/head-signer.ts';
import {
  createAuditExport,
  deliverWaiting,
  outboxStatus,
  receiveOnce,
  reviveDead,
  addToOutbox,
  type AuditExport,
} from '../../../activities/store/postgres/index.ts';
import { startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';
import { filledLog, type FilledLog } from './filled-log.ts';
import { startHttpReceiver, type HttpReceiver } from './http-receiver.ts';

let server: PostgresServer;
let directory: string;
let filled: FilledLog;

beforeAll(async () => {
  server = await startPostgresServer();
});

afterAll(async () => server.remove());

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-export-'));
  filled = await filledLog(await server.createDatabase(), 7);
});

afterEach(async () => {
  await filled.store.close();
  await rm(directory, { recursive: true });
});

const keyFile = (): string => path.join(directory, 'key');

const exportTo = async (...places: string[]): Promise<AuditExport> => {
  const { store, log } = filled;
  const signer = await openHeadSigner(keyFile(), 'holdfast/operations');
  const targets = exportTargets(places.join(','));
  return createAuditExport({ store, log, signer, keyFile: keyFile(), targets });
};

const minuteMs = 60_000;

/** Ids of all events that a receiver took, in their order. */
const idsAt = ({ batches }: HttpReceiver): string[] => batches.flat().map(({ id }) => id);

/** What it would have taken at once: each record, and the head behind the last of them. */
const idsTo = (...sizes: number[]): string[] =>
  sizes.flatMap((size, index) => {
    const from = sizes[index - 1] ?? 0;
    const records = Array.from({ length: size - from }, (_, n) => String(from + n));
    return [...records, `head/${String(size)}`].map((name) => `holdfast/operations/${name}`);
  });

describe('an export target that is down for an hour', () => {
  test('gets everything afterwards, in order, and its state is told meanwhile', async () => {
    await using receiver = await startHttpReceiver();
    const mount = path.join(directory, 'mount');
    const exporter = await exportTo(receiver.url, mount);
    receiver.answer = () => 503;
    let nowMs = Date.UTC(2026, 0, 1);
    const startMs = nowMs;
    let attempts = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      if (minute % 10 === 0) await filled.append(100 + minute, 10);
      attempts += (await exporter.run(nowMs)).length;
      nowMs += minuteMs;
    }
    // Left alone for longer and longer, up to five minutes, and neither given up.
    expect(attempts).toBeGreaterThan((2 * 60) / 6);
    expect(attempts).toBeLessThan(2 * 25);
    const states = await outboxStatus(filled.store);
    expect(states).toHaveLength(2);
    for (const state of states) {
      expect(state).toMatchObject({ dead: 0, failingSinceMs: startMs, lastDeliveredAtMs: null });
      expect(state.failures).toBeGreaterThan(10);
    }
    expect(states.map(({ lastError }) => lastError)).toEqual([
      expect.stringContaining('ENOENT'),
      'the target answered 503',
    ]);

    await mkdir(mount);
    receiver.answer = () => 204;
    expect(await exporter.run(nowMs + 10 * minuteMs)).toEqual([]);
    const sizes = [17, 27, 37, 47, 57, 67];
    expect(idsAt(receiver)).toEqual(idsTo(...sizes));
    const { heads, leaves } = await readHeads(mount);
    expect(heads.map(({ size }) => size)).toEqual(sizes);
    expect(leaves).toHaveLength(67);
    expect(await outboxStatus(filled.store)).toMatchObject([
      { waiting: 0, failures: 0, lastError: null },
      { waiting: 0, failures: 0, lastError: null },
    ]);
  });

  test('does not hold up another one', async () => {
    await using receiver = await startHttpReceiver();
    await using other = await startHttpReceiver();
    other.answer = () => 'hang up';
    const exporter = await exportTo(other.url, receiver.url);
    expect(await exporter.run(0)).toHaveLength(1);
    expect(idsAt(receiver)).toEqual(idsTo(7));
  });
});

describe('a target', () => {
  test('that is named later is told everything from the first record on', async () => {
    const mount = path.join(directory, 'mount');
    await (await exportTo()).run(0);
    await filled.append(20, 3);
    await mkdir(mount);
    await (await exportTo(mount)).run(1);
    expect(await readHeads(mount)).toMatchObject({ heads: [{ size: 10 }] });
    expect((await readHeads(mount)).leaves).toHaveLength(10);
  });

  test('that refuses a message for good gets the others, and this one when it is asked for', async () => {
    await using receiver = await startHttpReceiver();
    receiver.answer = (batch) => (batch[0]?.type === 'holdfast.audit.head' ? 400 : 204);
    const exporter = await exportTo(receiver.url);
    expect(await exporter.run(0)).toEqual([]);
    await filled.append(20, 3);
    receiver.answer = () => 204;
    await exporter.run(1);
    const [first] = idsTo(7).slice(-1);
    expect(idsAt(receiver)).toEqual(idsTo(7, 10).filter((id) => id !== first));
    expect(await outboxStatus(filled.store)).toMatchObject([{ dead: 1, waiting: 0 }]);
    expect(await reviveDead(filled.store, receiver.url)).toBe(1);
    await exporter.run(2);
    expect(idsAt(receiver).at(-1)).toBe(first);
  });

  test.each(['http://example.com/x', 'ftp://127.0.0.1/x', 'https://ana:secret@example.com/x'])(
    'is refused where others could read along: %s',
    (place) => {
      expect(() => exportTargets(place)).toThrow('HOLDFAST_AUDIT_EXPORT');
      expect(() => exportTargets(place)).not.toThrow('secret');
    },
  );
});

describe('a process that dies between delivery and the note of it', () => {
  test('delivers again, and a consumer with an inbox does the work once', async () => {
    const { store } = filled;
    await using receiver = await startHttpReceiver();
    const worked: string[] = [];
    receiver.answer = async (batch) => {
      for (const { id: messageId } of batch) {
        await receiveOnce(store, { consumer: 'copy', messageId, atMs: 0 }, async () => {
          worked.push(messageId);
          await Promise.resolve();
        });
      }
      return 204;
    };
    const exporter = await exportTo(receiver.url);
    const killer = new Client({ connectionString: filled.url });
    await killer.connect();
    const { answer } = receiver;
    let killed = false;
    receiver.answer = async (batch) => {
      const status = await answer(batch);
      // The connection of who delivers ends before it can note anything.
      if (!killed) {
        killed = true;
        await killer.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'holdfast' and state = 'idle in transaction'
             and datname = current_database()`,
        );
      }
      return status;
    };
    await expect(exporter.run(0)).rejects.toMatchObject({ type: 'STORE_UNREACHABLE' });
    await killer.end();
    expect(await exporter.run(0)).toEqual([]);
    expect(idsAt(receiver).length).toBeGreaterThan(idsTo(7).length);
    expect(worked).toEqual(idsTo(7));
  });

  test('does no work that was not noted: both are there, or neither', async () => {
    const { store } = filled;
    const received = { consumer: 'copy', messageId: 'm', atMs: 0 };
    const failing = receiveOnce(store, received, async () => Promise.reject(new Error('died')));
    await expect(failing).rejects.toThrow('died');
    expect(await receiveOnce(store, received, async () => Promise.resolve())).toBe(true);
    expect(await receiveOnce(store, received, async () => Promise.reject(new Error('twice')))).toBe(
      false,
    );
  });
});

test('several that deliver at once keep the order of each target', async () => {
  const { store } = filled;
  const target = 'https://example.com/x';
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) =>
      store.use(async (database) =>
        database
          .transaction()
          .execute(async (transaction) =>
            addToOutbox(transaction, { target, atMs: 0, messages: [{ topic: 't', payload: n }] }),
          ),
      ),
    ),
  );
  const seen: number[] = [];
  const deliver = async ({ number }: { number: number }) => {
    seen.push(number);
    await new Promise((resolve) => setImmediate(resolve));
    return 'delivered' as const;
  };
  const round = async () => deliverWaiting(store, { targets: [target], nowMs: 0, deliver });
  await Promise.all([round(), round(), round()]);
  await round();
  expect(seen).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
});

test('a head that someone has changed, or signed with another key, vouches for nothing', async () => {
  const mount = path.join(directory, 'mount');
  await mkdir(mount);
  await (await exportTo(mount)).run(0);
  const { verifierKey } = await readHeads(mount);
  const signer = await openHeadSigner(keyFile(), 'holdfast/operations');
  expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
  const root = Buffer.alloc(32).toString('base64');
  const note = signer.sign({ size: 7, root });
  expect(openNote(note, verifierKey, 'head')).toMatchObject({ size: 7, root });
  const other = await openHeadSigner(path.join(directory, 'other'), 'holdfast/operations');
  const forged = [note.replace('\n7\n', '\n8\n'), other.sign({ size: 7, root }), 'not a note'];
  for (const text of forged) {
    expect(() => openNote(text, verifierKey, 'head')).toThrow('vouches for nothing');
  }
  await rename(path.join(mount, 'verifier-key'), path.join(mount, 'gone'));
  await expect(readHeads(mount)).rejects.toMatchObject({ type: 'INVALID_INPUT' });
});
