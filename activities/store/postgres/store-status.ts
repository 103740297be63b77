import { sql } from 'kysely';
import { planMigrations } from '../../../domain/store/migration-plan.ts';
import { appliedMigrations } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, storeTables, type StoreTable } from './schema.ts';

export interface StoreStatus {
  /** `empty`: no migration was applied yet; for the others see the errors `STORE_…`. */
  state: 'empty' | 'current' | 'outdated' | 'newer' | 'altered';
  /** `host:port/database` */
  address: string;
  /** Of PostgreSQL. */
  serverVersion: string;
  migrations: { number: number; name: string; appliedAtMs: number | null }[];
  tables: { name: string; rows: number; bytes: number }[];
}

/** Looks at the database without changing it. */
export const storeStatus = async (store: Store): Promise<StoreStatus> =>
  store.use(async (database) => {
    const applied = await appliedMigrations(database);
    const { state } = planMigrations(migrations, applied);
    const appliedAt = new Map(applied.map(({ number, appliedAtMs }) => [number, appliedAtMs]));
    const unknown = applied.filter(({ number }) => number > migrations.length);
    return {
      state: applied.length === 0 ? 'empty' : state,
      address: store.address,
      serverVersion: await serverVersion(database),
      migrations: [...migrations, ...unknown].map(({ number, name }) => ({
        number,
        name,
        appliedAtMs: appliedAt.get(number) ?? null,
      })),
      tables: await tableSizes(database),
    };
  });

const serverVersion = async (database: Database): Promise<string> => {
  const { rows } = await sql<{ version: string }>`
    select current_setting('server_version') as version
  `.execute(database);
  return rows[0]?.version ?? 'unknown';
};

const tableSizes = async (database: Database): Promise<StoreStatus['tables']> => {
  const sizes: StoreStatus['tables'] = [];
  for (const name of await presentTables(database)) {
    const table = sql.table(`${schemaName}.${name}`);
    const { rows } = await sql<{ rows: number; bytes: number }>`
      select count(*)::integer as rows,
        pg_total_relation_size(${`${schemaName}.${name}`}::regclass)::double precision as bytes
      from ${table}
    `.execute(database);
    for (const size of rows) sizes.push({ name, ...size });
  }
  return sizes;
};

/** Those of our tables that are there; all of them once the database is migrated. */
export const presentTables = async (database: Database): Promise<StoreTable[]> => {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = ${schemaName}
  `.execute(database);
  return storeTables.filter((table) => rows.some(({ name }) => name === table));
};
