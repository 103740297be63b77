import { sql, type Transaction } from 'kysely';
import { planMigrations } from '../../../domain/store/migration-plan.ts';
import { codedFailure } from '../../coded-failure.ts';
import { readBackup, verifyBackup, type BackupHead } from './backup-file.ts';
import { apply, lockSchema, refuseForeign } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';
import { presentTables } from './store-status.ts';

const rowsAtATime = 500;

export interface RestoreOutcome {
  takenAt: string;
  /** Rows of each table. */
  rows: Record<string, number>;
}

/**
 * Makes the database what the backup says, then applies what this version has added since: all of it,
 * or nothing. With `replace` what was there is given up.
 *
 * @throws BACKUP_INVALID, STORE_NEWER, STORE_ALTERED, STORE_NOT_EMPTY
 */
export const restore = async (
  store: Store,
  { file, replace = false }: { file: string; replace?: boolean },
): Promise<RestoreOutcome> => {
  const head = await verifyBackup(file);
  const [then, since] = migrationsAround(head, file);
  return store.use(async (database) =>
    database.transaction().execute(async (transaction) => {
      await lockSchema(transaction);
      if (!replace) await refuseContent(transaction, store.address);
      await sql`drop schema if exists ${sql.id(schemaName)} cascade`.execute(transaction);
      await apply(transaction, then);
      const rows = await fill(transaction, file);
      await apply(transaction, since);
      return { takenAt: head.takenAt, rows };
    }),
  );
};

type Migrations = typeof migrations;

/** Those that the backup was taken with, and those that came later. */
const migrationsAround = (
  { migrations: taken }: BackupHead,
  file: string,
): [Migrations, Migrations] => {
  refuseForeign(planMigrations(migrations, taken), file);
  return [migrations.slice(0, taken.length), migrations.slice(taken.length)];
};

const refuseContent = async (database: Database, address: string): Promise<void> => {
  for (const table of await presentTables(database)) {
    const { rows } =
      await sql`select 1 from ${sql.table(`${schemaName}.${table}`)} limit 1`.execute(database);
    if (rows.length === 0) continue;
    throw codedFailure({
      code: 'STORE_NOT_EMPTY',
      message: `The table ${table} of the database at ${address} holds rows. Nothing was restored.`,
      subject: 'DATABASE_URL',
    });
  }
};

const fill = async (
  transaction: Transaction<StoreSchema>,
  file: string,
): Promise<RestoreOutcome['rows']> => {
  const counts: RestoreOutcome['rows'] = {};
  let table = '';
  let waiting: string[] = [];
  const write = async (): Promise<void> => {
    if (waiting.length > 0) await insertRows(transaction, table, waiting);
    waiting = [];
  };
  for await (const line of readBackup(file)) {
    if ('table' in line) {
      await write();
      table = line.table;
      counts[table] = 0;
      continue;
    }
    waiting.push(line.row);
    counts[table] = (counts[table] ?? 0) + 1;
    if (waiting.length === rowsAtATime) await write();
  }
  await write();
  return counts;
};

const insertRows = async (
  transaction: Transaction<StoreSchema>,
  table: string,
  rows: readonly string[],
): Promise<void> => {
  const target = sql.table(`${schemaName}.${table}`);
  await sql`
    insert into ${target}
    select content.*
    from unnest(${rows}::text[]) as line,
      json_populate_record(null::${target}, line::json) as content
  `.execute(transaction);
};
