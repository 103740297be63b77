import { sql, type Transaction } from 'kysely';
import {
  planMigrations,
  type KnownMigration,
  type MigrationPlan,
} from '../../../domain/store/migration-plan.ts';
import { codedFailure } from '../../coded-failure.ts';
import { migrations, type ChecksummedMigration } from './migrations/index.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

export interface AppliedMigration extends KnownMigration {
  appliedAtMs: number;
}

/** What was done, or would be. */
export interface MigrationOutcome {
  /** Names of the migrations, in order; empty where the database was up to date. */
  applied: { number: number; name: string }[];
  statements: string[];
}

/** Any number that nobody else locks; it keeps two processes from migrating at once. */
const lockKey = 5_201_314_159;
const lockTimeout = '60s';
const leastServerVersion = 150_000;

const ledger = [
  `create schema if not exists ${schemaName}`,
  `create table if not exists ${schemaName}.migration (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`,
];

/**
 * Brings the database to what this version knows: all that is pending, or nothing. With `dryRun` it
 * only says what it would run.
 *
 * @throws STORE_NEWER, STORE_ALTERED, STORE_UNREACHABLE, STORE_ACCESS_DENIED
 */
export const migrate = async (
  store: Store,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<MigrationOutcome> =>
  store.use(async (database) => {
    await refuseOldServer(database, store.address);
    if (dryRun) return outcomeOf(await pendingOf(database, store.address));
    return database.transaction().execute(async (transaction) => {
      await lockSchema(transaction);
      // Another process may have done it all while we waited.
      const pending = await pendingOf(transaction, store.address);
      if (pending.length > 0) await apply(transaction, pending);
      return outcomeOf(pending);
    });
  });

/** Held until the transaction ends. */
export const lockSchema = async (transaction: Transaction<StoreSchema>): Promise<void> => {
  await sql`set local lock_timeout = ${sql.lit(lockTimeout)}`.execute(transaction);
  await sql`set local statement_timeout = 0`.execute(transaction);
  await sql`select pg_advisory_xact_lock(${sql.lit(lockKey)})`.execute(transaction);
};

/** Runs the migrations and records each. */
export const apply = async (
  transaction: Transaction<StoreSchema>,
  pending: readonly ChecksummedMigration[],
): Promise<void> => {
  for (const statement of ledger) await sql.raw(statement).execute(transaction);
  for (const { number, name, checksum, statements } of pending) {
    for (const statement of statements) await sql.raw(statement).execute(transaction);
    await transaction
      .withSchema(schemaName)
      .insertInto('migration')
      .values({ number, name, checksum })
      .execute();
  }
};

/** What the database says was applied; nothing where it is empty. */
export const appliedMigrations = async (database: Database): Promise<AppliedMigration[]> => {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass(${`${schemaName}.migration`}) is not null as found
  `.execute(database);
  if (rows[0]?.found !== true) return [];
  const applied = await database
    .withSchema(schemaName)
    .selectFrom('migration')
    .selectAll()
    .orderBy('number')
    .execute();
  return applied.map(({ applied_at, ...known }) => ({
    ...known,
    appliedAtMs: applied_at.getTime(),
  }));
};

/** @throws STORE_OUTDATED, STORE_NEWER, STORE_ALTERED unless the database is what we know */
export const requireCurrent = async (store: Store): Promise<void> => {
  const applied = await store.use(appliedMigrations);
  const plan = planMigrations(migrations, applied);
  refuseForeign(plan, store.address);
  if (plan.state !== 'outdated') return;
  throw codedFailure({
    code: 'STORE_OUTDATED',
    message: `The database at ${store.address} lacks ${count(plan.pending)}. Nothing was done.`,
  });
};

const pendingOf = async (
  database: Database,
  address: string,
): Promise<readonly ChecksummedMigration[]> => {
  const plan = planMigrations(migrations, await appliedMigrations(database));
  refuseForeign(plan, address);
  if (plan.state !== 'outdated') return [];
  return migrations.filter(({ number }) => plan.pending.includes(number));
};

/** @throws STORE_NEWER, STORE_ALTERED */
export const refuseForeign = (plan: MigrationPlan, place: string): void => {
  if (plan.state === 'newer') {
    throw codedFailure({
      code: 'STORE_NEWER',
      message: `${place} has ${count(plan.unknown)} that this version does not know. Nothing was changed.`,
    });
  }
  if (plan.state === 'altered') {
    throw codedFailure({
      code: 'STORE_ALTERED',
      message: `${place} has ${count(plan.altered)} with another content than this version. Nothing was changed.`,
    });
  }
};

const count = (numbers: readonly number[]): string =>
  `${numbers.length === 1 ? 'migration' : 'migrations'} ${numbers.join(', ')}`;

const outcomeOf = (pending: readonly ChecksummedMigration[]): MigrationOutcome => ({
  applied: pending.map(({ number, name }) => ({ number, name })),
  statements:
    pending.length === 0 ? [] : [...ledger, ...pending.flatMap(({ statements }) => statements)],
});

const refuseOldServer = async (database: Database, address: string): Promise<void> => {
  const { rows } = await sql<{ version: number; text: string }>`
    select current_setting('server_version_num')::integer as version,
      current_setting('server_version') as text
  `.execute(database);
  const [server] = rows;
  if (server === undefined || server.version >= leastServerVersion) return;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The database at ${address} is PostgreSQL ${server.text}; 15 or later is needed. Nothing was changed.`,
    subject: 'DATABASE_URL',
  });
};
