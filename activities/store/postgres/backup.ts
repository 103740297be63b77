import { sql } from 'kysely';
import { writeBackup, type BackupHead, type BackupLine } from './backup-file.ts';
import { appliedMigrations, requireCurrent } from './migrate.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, storeTables } from './schema.ts';

const rowsAtATime = 1_000;

export interface BackupOutcome {
  /** Rows of each table. */
  rows: Record<string, number>;
}

/**
 * Writes all tables, as they are at one moment, to a new file that only its owner can read. Whoever
 * writes meanwhile is not held up.
 *
 * @throws INVALID_INPUT where the file is there already; STORE_OUTDATED, STORE_NEWER, STORE_ALTERED
 */
export const backUp = async (
  store: Store,
  { file, nowMs }: { file: string; nowMs: number },
): Promise<BackupOutcome> => {
  await requireCurrent(store);
  return store.use(async (database) =>
    database
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (snapshot) => {
        await sql`set local statement_timeout = 0`.execute(snapshot);
        const rows: BackupOutcome['rows'] = {};
        const head = await headAt(snapshot, nowMs);
        await writeBackup(file, { head, lines: linesOf(snapshot, rows) });
        return { rows };
      }),
  );
};

const headAt = async (snapshot: Database, nowMs: number): Promise<BackupHead> => {
  const applied = await appliedMigrations(snapshot);
  return {
    format: 'holdfast-store',
    version: 1,
    takenAt: new Date(nowMs).toISOString(),
    migrations: applied.map(({ number, name, checksum }) => ({ number, name, checksum })),
  };
};

async function* linesOf(
  snapshot: Database,
  rows: BackupOutcome['rows'],
): AsyncGenerator<BackupLine> {
  for (const table of storeTables) {
    yield { table };
    rows[table] = 0;
    for await (const row of rowsOf(snapshot, table)) {
      rows[table] += 1;
      yield { row };
    }
  }
}

/** PostgreSQL writes the rows itself, so that no number passes through one of JavaScript. */
async function* rowsOf(snapshot: Database, table: string): AsyncGenerator<string> {
  const cursor = sql.id(`rows_of_${table}`);
  await sql`
    declare ${cursor} cursor for
    select row_to_json(content)::text as line
    from ${sql.table(`${schemaName}.${table}`)} as content
    order by content
  `.execute(snapshot);
  for (;;) {
    const { rows } = await sql<{ line: string }>`
      fetch ${sql.lit(rowsAtATime)} from ${cursor}
    `.execute(snapshot);
    for (const { line } of rows) yield line;
    if (rows.length < rowsAtATime) break;
  }
  await sql`close ${cursor}`.execute(snapshot);
}
