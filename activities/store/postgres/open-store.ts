import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { tlsOptionsFor } from '../../database-tls.ts';
import { addressOf, readDatabaseUrl, type DatabaseTarget } from '../../database-url.ts';
import type { StoreSchema } from './schema.ts';
import { toStoreFailure } from './store-failure.ts';

export type Database = Kysely<StoreSchema>;

/** The database of the store. Connections are made when they are needed. */
export interface Store extends AsyncDisposable {
  /** `host:port/database`, without credentials. */
  readonly address: string;
  /** Runs the work; what the database or the way to it says becomes a coded failure. */
  use<Result>(work: (database: Database) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const connectTimeoutMs = 5_000;
const statementTimeoutMs = 30_000;
const maxConnections = 5;

/** @throws CONFIGURATION_INVALID, STORE_NOT_PRIVATE; a server that does not answer shows in `use` */
export const openStore = (url: string): Store => {
  const target = readDatabaseUrl(url);
  const address = addressOf(target);
  const pool = new Pool(poolConfig(target));
  // A server that restarts ends connections with and without a query; an event that nobody takes
  // would end this process. The query fails by itself, and the next `use` gets a new connection.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const database: Database = new Kysely({ dialect: new PostgresDialect({ pool }) });
  const close = async (): Promise<void> => database.destroy();
  return {
    address,
    use: async (work) => {
      try {
        return await work(database);
      } catch (error) {
        throw toStoreFailure(error, address);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};

const poolConfig = (target: DatabaseTarget): PoolConfig => {
  const { host, port, database, user, password } = target;
  return {
    host,
    port,
    database,
    user,
    // Without one the driver would look for a password file and variables of its own.
    password: password ?? '',
    ssl: tlsOptionsFor(target),
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'holdfast',
    keepAlive: true,
    allowExitOnIdle: true,
  };
};
