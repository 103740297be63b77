import { sql, type Transaction } from 'kysely';
import {
  bodyOf,
  chainOf,
  firstChain,
  leafOf,
  type AuditEntry,
} from '../../../domain/security/audit-record.ts';
import {
  appendLeaf,
  emptyRange,
  peaksAt,
  type CompactRange,
  type Hash,
} from '../../../domain/security/merkle-tree.ts';
import { codedFailure } from '../../coded-failure.ts';
import { sha256 } from '../sha256.ts';
import { refsOf } from './audit-person.ts';
import type { Database } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

const hashBytes = 32;

/** Where a log goes on. */
interface LogEnd {
  range: CompactRange;
  chain: Hash;
}

/** One writer at a time: a position has no gap, and each record knows the one before it. */
export const lockLog = async (
  transaction: Transaction<StoreSchema>,
  log: string,
): Promise<void> => {
  await sql`set local role holdfast_audit_writer`.execute(transaction);
  await sql`select pg_advisory_xact_lock(hashtextextended(${`holdfast audit ${log}`}, 0))`.execute(
    transaction,
  );
};

/** Appends to a log that is locked; returns the position of each entry. */
export const appendRecords = async (
  transaction: Transaction<StoreSchema>,
  log: string,
  entries: readonly AuditEntry[],
): Promise<number[]> => {
  const places = await placesOf(transaction, log, entries);
  const added = [...new Map(entries.map((entry) => [entry.id, entry])).values()].filter(
    ({ id }) => !places.has(id),
  );
  if (added.length > 0) await insert({ transaction, log, added, places });
  return entries.map(({ id }) => places.get(id) ?? Number.NaN);
};

const placesOf = async (
  transaction: Transaction<StoreSchema>,
  log: string,
  entries: readonly AuditEntry[],
): Promise<Map<string, number>> => {
  const ids = entries.map(({ id }) => id);
  const { rows } = await sql<{ entry_id: string; position: string }>`
    select entry_id, position from ${sql.table(`${schemaName}.audit_record`)}
    where log = ${log} and entry_id = any(${ids}::text[])
  `.execute(transaction);
  return new Map(rows.map(({ entry_id: id, position }) => [id, Number(position)]));
};

interface Insertion {
  transaction: Transaction<StoreSchema>;
  log: string;
  added: readonly AuditEntry[];
  /** Gets the positions of what is added. */
  places: Map<string, number>;
}

const insert = async ({ transaction, log, added, places }: Insertion): Promise<void> => {
  const refs = await refsOf(
    transaction,
    added.map(({ actor }) => actor.name),
  );
  let { range, chain } = await endOf(transaction, log);
  const rows = added.map((entry) => {
    const position = range.size;
    const actorRef = refs.get(entry.actor.name) ?? '';
    const body = bodyOf(entry, { log, position, actorRef });
    const leaf = leafOf(sha256, body);
    chain = chainOf(sha256, chain, leaf);
    const appended = appendLeaf(sha256, range, leaf);
    ({ range } = appended);
    places.set(entry.id, position);
    return { position, id: entry.id, body, leaf, chain, nodes: Buffer.concat(appended.completed) };
  });
  const column = (key: keyof (typeof rows)[number]): unknown[] => rows.map((row) => row[key]);
  await sql`
    insert into ${sql.table(`${schemaName}.audit_record`)}
      (log, position, entry_id, body, leaf, chain, nodes)
    select ${log}, added.* from unnest(
      ${column('position')}::bigint[], ${column('id')}::text[], ${column('body')}::text[],
      ${column('leaf')}::bytea[], ${column('chain')}::bytea[], ${column('nodes')}::bytea[]
    ) as added
  `.execute(transaction);
};

/** Looked up anew for each batch: a database may have been restored since the last one. */
const endOf = async (database: Database, log: string): Promise<LogEnd> => {
  const last = await database
    .withSchema(schemaName)
    .selectFrom('audit_record')
    .select(['position', 'chain'])
    .where('log', '=', log)
    .orderBy('position', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return { range: emptyRange, chain: firstChain };
  const size = Number(last.position) + 1;
  return { range: await rangeAt(database, log, size), chain: last.chain };
};

/** From the rows that completed the largest subtrees: some twenty for a million records. */
export const rangeAt = async (
  database: Database,
  log: string,
  size: number,
): Promise<CompactRange> => {
  if (size === 0) return emptyRange;
  const wanted = peaksAt(size).map(({ level, index }) => ({
    level,
    completedBy: (index + 1) * 2 ** level - 1,
  }));
  const rows = await database
    .withSchema(schemaName)
    .selectFrom('audit_record')
    .select(['position', 'leaf', 'nodes'])
    .where('log', '=', log)
    .where(sql<boolean>`position = any(${wanted.map(({ completedBy }) => completedBy)}::bigint[])`)
    .execute();
  const found = new Map(rows.map((row) => [Number(row.position), row]));
  const peaks = wanted.map(({ level, completedBy }) => {
    const row = found.get(completedBy);
    const from = (level - 1) * hashBytes;
    const peak = level === 0 ? row?.leaf : row?.nodes.subarray(from, from + hashBytes);
    if (peak?.length === hashBytes) return peak;
    throw codedFailure({
      code: 'AUDIT_LOG_BROKEN',
      message: `The record ${String(completedBy)} of the audit log ${log} is not there, or lost its hashes. Nothing was recorded.`,
      subject: log,
    });
  });
  return { size, peaks };
};
