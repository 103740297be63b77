import { readFile, rename, writeFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { equalHashes, rootOf } from '../../../domain/security/merkle-tree.ts';
import { codedFailure } from '../../coded-failure.ts';
import { openNote, type HeadSigner } from '../audit/head-signer.ts';
import { sha256 } from '../sha256.ts';
import { lockLog, rangeAt } from './append-audit-records.ts';
import type { Database, Store } from './open-store.ts';
import { addToOutbox, type OutboxMessage } from './outbox.ts';
import { operationsLog } from './postgres-audit-log.ts';
import { schemaName } from './schema.ts';

const auditTopic = 'audit';
/** More would make one delivery to an HTTP target longer than it waits for. */
const recordsAMessage = 500;

export interface AuditHead {
  size: number;
  note: string;
  madeAtMs: number;
}

/** What a target is told of a new head. */
export type HeadMessage =
  { kind: 'head'; from: number; size: number } | { kind: 'records'; from: number; to: number };

export interface HeadMaker {
  store: Store;
  signer: HeadSigner;
  /** The last head that was signed, apart from the database, which an older one may replace. */
  memoryFile: string;
  /** Of the outbox: each is told of every head. */
  targets: readonly { name: string; wantsRecords: boolean }[];
}

/**
 * Signs what the log is now, and has it exported; undefined where nothing was recorded since the
 * last head.
 *
 * @throws AUDIT_LOG_BROKEN where the log no longer goes on from the last head that was signed
 */
export const makeHead = async (maker: HeadMaker, nowMs: number): Promise<AuditHead | undefined> => {
  const { store, signer, memoryFile, targets } = maker;
  const remembered = await rememberedIn(memoryFile, signer);
  const made = await store.use(async (database) =>
    database.transaction().execute(async (transaction) => {
      await lockLog(transaction, operationsLog);
      const size = await sizeOf(transaction);
      if (remembered !== undefined) await requireSame(transaction, size, remembered);
      const last = await lastHead(transaction);
      if (size === (last?.size ?? 0)) return undefined;
      const root = rootOf(sha256, await rangeAt(transaction, operationsLog, size));
      const note = signer.sign({ size, root: Buffer.from(root).toString('base64') });
      const head = { size, note, madeAtMs: nowMs };
      await transaction
        .withSchema(schemaName)
        .insertInto('audit_head')
        .values({ log: operationsLog, size, note, made_at: new Date(nowMs) })
        .execute();
      // The outbox is no part of the log: its rows change.
      await sql`set local role none`.execute(transaction);
      for (const { name, wantsRecords } of targets) {
        const from = await toldTo(transaction, name);
        const messages = messagesFor({ from, size, wantsRecords });
        await addToOutbox(transaction, { target: name, atMs: nowMs, messages });
      }
      return head;
    }),
  );
  if (made !== undefined) await remember(memoryFile, made.note);
  return made;
};

const messagesFor = ({
  from,
  size,
  wantsRecords,
}: {
  from: number;
  size: number;
  wantsRecords: boolean;
}): Pick<OutboxMessage, 'topic' | 'payload'>[] => {
  const head: HeadMessage = { kind: 'head', from, size };
  const records: HeadMessage[] = [];
  for (let at = from; wantsRecords && at < size; at += recordsAMessage) {
    records.push({ kind: 'records', from: at, to: Math.min(size, at + recordsAMessage) });
  }
  return [...records, head].map((payload) => ({ topic: auditTopic, payload }));
};

/** How many records a target was told of, or will be; none where it is new. */
const toldTo = async (database: Database, target: string): Promise<number> => {
  const last = await database
    .withSchema(schemaName)
    .selectFrom('outbox_message')
    .select('payload')
    .where('target', '=', target)
    .where('topic', '=', auditTopic)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  // The last message about a head is the head itself.
  const message = last?.payload as HeadMessage | undefined;
  return message?.kind === 'head' ? message.size : 0;
};

const sizeOf = async (database: Database): Promise<number> => {
  const { size } = await database
    .withSchema(schemaName)
    .selectFrom('audit_record')
    .where('log', '=', operationsLog)
    .select(sql<number>`coalesce(max(position) + 1, 0)::double precision`.as('size'))
    .executeTakeFirstOrThrow();
  return size;
};

interface Remembered {
  size: number;
  root: Uint8Array;
}

const requireSame = async (
  database: Database,
  size: number,
  { size: signed, root }: Remembered,
): Promise<void> => {
  if (signed <= size) {
    const now = rootOf(sha256, await rangeAt(database, operationsLog, signed));
    if (equalHashes(now, root)) return;
  }
  throw codedFailure({
    code: 'AUDIT_LOG_BROKEN',
    message: `The audit log has ${String(size)} records and does not go on from the head of ${String(signed)} that was signed last. No head was signed.`,
    subject: operationsLog,
  });
};

const lastHead = async (database: Database): Promise<AuditHead | undefined> => {
  const row = await database
    .withSchema(schemaName)
    .selectFrom('audit_head')
    .select(['size', 'note', 'made_at'])
    .where('log', '=', operationsLog)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { size: Number(row.size), note: row.note, madeAtMs: row.made_at.getTime() };
};

/** The last head that the database knows of. */
export const lastAuditHead = async (store: Store): Promise<AuditHead | undefined> =>
  store.use(lastHead);

/** The note of a head, for whoever exports it. @throws AUDIT_LOG_BROKEN where it is gone */
export const noteOfHead = async (store: Store, size: number): Promise<AuditHead> => {
  const row = await store.use(async (database) =>
    database
      .withSchema(schemaName)
      .selectFrom('audit_head')
      .select(['note', 'made_at'])
      .where('log', '=', operationsLog)
      .where(sql<boolean>`size = ${size}`)
      .executeTakeFirst(),
  );
  if (row !== undefined) return { size, note: row.note, madeAtMs: row.made_at.getTime() };
  throw codedFailure({
    code: 'AUDIT_LOG_BROKEN',
    message: `The head of ${String(size)} records that was to be exported is not in the database.`,
    subject: operationsLog,
  });
};

const rememberedIn = async (file: string, signer: HeadSigner): Promise<Remembered | undefined> => {
  const note = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((Object(error) as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  });
  if (note === undefined) return undefined;
  const { size, root } = openNote(note, signer.verifierKey, file);
  return { size, root: Buffer.from(root, 'base64') };
};

const remember = async (file: string, note: string): Promise<void> => {
  const draft = `${file}.${String(process.pid)}.draft`;
  await writeFile(draft, note, { mode: 0o600 });
  await rename(draft, file);
};
