import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { POSTGRES_PROCESS, startPostgres } from '../../sandbox/postgres/start-postgres.ts';
import { openStateDirectory } from '../../sandbox/state/directory.ts';
import { chooseFreePorts } from '../../sandbox/state/ports.ts';
import { createProcessSupervisor } from '../../sandbox/state/processes.ts';

/** A PostgreSQL of the test's own, as the sandbox runs it. */
export interface PostgresServer {
  /** URL of a new, empty database. */
  createDatabase(): Promise<string>;
  /** Ends every connection and writes everything. */
  stop(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export const startPostgresServer = async (): Promise<PostgresServer> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-postgres-'));
  const processes = createProcessSupervisor(await openStateDirectory(directory));
  const [port = 0] = await chooseFreePorts(1);
  const start = async (): Promise<string> =>
    (
      await startPostgres({
        stateDirectory: directory,
        port,
        processes,
        onProgress: () => undefined,
      })
    ).urlPath;
  const url = (await readFile(await start(), 'utf8')).trim();
  const stop = async (): Promise<void> => processes.stop(POSTGRES_PROCESS);
  return {
    createDatabase: async () => {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await runSql(url, `create database ${name}`);
      return Object.assign(new URL(url), { pathname: `/${name}` }).href;
    },
    stop,
    kill: async () => {
      const record = (await processes.list()).find(({ name }) => name === POSTGRES_PROCESS);
      if (record?.identity === undefined) throw new Error('PostgreSQL does not run');
      process.kill(record.identity.pid, 'SIGKILL');
      await processes.stop(POSTGRES_PROCESS);
    },
    start: async () => {
      await start();
    },
    remove: async () => {
      await stop();
      await rm(directory, { recursive: true });
    },
  };
};

/** Says something to the database past the store; returns the rows of the last statement. */
export const runSql = async (url: string, text: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
};
