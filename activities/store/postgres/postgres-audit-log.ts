import { sql } from 'kysely';
import type { AuditEntry, AuditRecord } from '../../../domain/security/audit-record.ts';
import type { AuditLog, OpenIntent } from '../port.ts';
import { appendRecords, lockLog, rangeAt } from './append-audit-records.ts';
import type { Store } from './open-store.ts';
import { schemaName } from './schema.ts';

const rowsAtATime = 2_000;
const largestBatch = 1_000;

/** The one log of an installation. */
export const operationsLog = 'operations';

interface Waiting {
  entries: readonly AuditEntry[];
  done: (positions: number[]) => void;
  failed: (error: unknown) => void;
}

/**
 * The log in PostgreSQL. What is appended while a batch is being written goes into the next one
 * together, so that many callers share one commit.
 */
export const createPostgresAuditLog = ({
  store,
  log = operationsLog,
}: {
  store: Store;
  log?: string;
}): AuditLog => {
  const append = batched(async (entries) =>
    store.use(async (database) =>
      database.transaction().execute(async (transaction) => {
        await lockLog(transaction, log);
        return appendRecords(transaction, log, entries);
      }),
    ),
  );
  return {
    append: async (entries) => ({ positions: entries.length === 0 ? [] : await append(entries) }),
    size: async () =>
      store.use(async (database) => {
        const { size } = await database
          .withSchema(schemaName)
          .selectFrom('audit_record')
          .where('log', '=', log)
          .select(sql<number>`coalesce(max(position) + 1, 0)::double precision`.as('size'))
          .executeTakeFirstOrThrow();
        return size;
      }),
    read: (range) => recordsOf(store, log, range),
    people: async () =>
      store.use(async (database) => {
        const rows = await database
          .withSchema(schemaName)
          .selectFrom('audit_person')
          .selectAll()
          .orderBy('ref')
          .execute();
        return rows.flatMap(({ ref, salt, name }) =>
          salt === null || name === null ? [] : [{ ref, salt, name }],
        );
      }),
    rangeAt: async (size) => store.use(async (database) => rangeAt(database, log, size)),
    openIntents: async (before) => openIntents(store, log, before),
  };
};

/** Runs one batch at a time. An entry that cannot be written fails its own caller, not the others. */
const batched = (
  write: (entries: readonly AuditEntry[]) => Promise<number[]>,
): ((entries: readonly AuditEntry[]) => Promise<number[]>) => {
  const queue: Waiting[] = [];
  let writing = false;
  const writeOne = async ({ entries, done, failed }: Waiting): Promise<void> =>
    write(entries).then(done, failed);
  const writeTogether = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const positions = await write(batch.flatMap(({ entries }) => entries));
      let at = 0;
      for (const { entries, done } of batch) done(positions.slice(at, (at += entries.length)));
    } catch {
      for (const waiting of batch) await writeOne(waiting);
    }
  };
  const drain = async (): Promise<void> => {
    writing = true;
    while (queue.length > 0) {
      const batch = nextBatch(queue);
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) await writeOne(first);
      else await writeTogether(batch);
    }
    writing = false;
  };
  return async (entries) =>
    new Promise((done, failed) => {
      queue.push({ entries, done, failed });
      if (!writing) void drain();
    });
};

const nextBatch = (queue: Waiting[]): Waiting[] => {
  const batch: Waiting[] = [];
  let count = 0;
  while (queue.length > 0) {
    const size = queue[0]?.entries.length ?? 0;
    if (batch.length > 0 && count + size > largestBatch) break;
    batch.push(...queue.splice(0, 1));
    count += size;
  }
  return batch;
};

/** By pages, so that a reader holds up nobody and needs no memory for all. */
async function* recordsOf(
  store: Store,
  log: string,
  { from, to = Number.MAX_SAFE_INTEGER }: { from: number; to?: number },
): AsyncGenerator<AuditRecord> {
  let start = from;
  for (;;) {
    const rows = await store.use(async (database) =>
      database
        .withSchema(schemaName)
        .selectFrom('audit_record')
        .select(['position', 'body', 'leaf', 'chain'])
        .where('log', '=', log)
        .where(sql<boolean>`position >= ${start} and position < ${to}`)
        .orderBy('position')
        .limit(rowsAtATime)
        .execute(),
    );
    for (const { position, ...record } of rows) yield { position: Number(position), ...record };
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsAtATime) return;
    start = Number(last.position) + 1;
  }
}

interface IntentRow {
  position: string;
  at: string;
  action: string;
  correlation: string;
  run: string | null;
}

const openIntents = async (
  store: Store,
  log: string,
  { beforeMs, limit }: { beforeMs: number; limit: number },
): Promise<OpenIntent[]> =>
  store.use(async (database) => {
    const table = sql.table(`${schemaName}.audit_record`);
    const { rows } = await sql<IntentRow>`
      select position, (body::jsonb) ->> 'at' as at, (body::jsonb) ->> 'action' as action,
        (body::jsonb) ->> 'correlation' as correlation,
        (body::jsonb) -> 'subject' ->> 'run' as run
      from ${table} as intent
      where log = ${log} and (body::jsonb) ->> 'phase' = 'intent'
        and (body::jsonb) ->> 'at' < ${new Date(beforeMs).toISOString()}
        and not exists (
          select from ${table} as outcome
          where outcome.log = intent.log
            and (outcome.body::jsonb) ->> 'correlation' = (intent.body::jsonb) ->> 'correlation'
            and (outcome.body::jsonb) ->> 'phase' = 'outcome'
        )
      order by position
      limit ${limit}
    `.execute(database);
    return rows.map(({ position, at, action, correlation, run }) => ({
      position: Number(position),
      atMs: Date.parse(at),
      action,
      correlation,
      ...(run === null ? {} : { run }),
    }));
  });
