/** Runs a real PostgreSQL on loopback, for what outlives runs. */
import { randomBytes } from 'node:crypto';
import { access, chown, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportStep } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import { accountForServers, invocationAs } from '../state/account.ts';
import type { Account } from '../state/account.ts';
import {
  PRIVATE_DIRECTORY_MODE,
  readFileIfPresent,
  writeFileAtomically,
} from '../state/atomic-file.ts';
import { statePaths } from '../state/directory.ts';
import type { ProcessSpecification } from '../state/process-record.ts';
import type { ProcessSupervisor } from '../state/processes.ts';
import { waitUntil } from '../state/wait-until.ts';
import { runCommand } from '../tools/run-command.ts';
import { libraryEnvironment, postgresBinaries } from './binaries.ts';
import type { PostgresBinaries } from './binaries.ts';

export const POSTGRES_PROCESS = 'postgres';
const LOOPBACK = '127.0.0.1';
const USER = 'holdfast';
/** The one that every cluster has; making another costs the start as much as all the rest. */
const DATABASE = 'postgres';
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 20_000;
const START_ATTEMPTS = 50;
const START_AGAIN_AFTER_MS = 200;

export interface PostgresOptions {
  readonly stateDirectory: string;
  readonly port: number;
  readonly processes: ProcessSupervisor;
  readonly onProgress: OnProgress;
}

export interface RunningPostgres {
  /** host:port */
  readonly address: string;
  /** A file with the URL, password included, that only its owner can read. */
  readonly urlPath: string;
  readonly url: string;
}

/**
 * Starts PostgreSQL and returns once it takes connections. May be repeated, also after a crash: one
 * that runs is left as it is, and data that are there are used.
 *
 * @throws SandboxError
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { port, processes, onProgress } = options;
  return reportStep({ name: 'postgres', message: 'starting PostgreSQL', onProgress }, async () => {
    const files = filesBelow(statePaths(options.stateDirectory).postgres);
    const binaries = postgresBinaries();
    const account = await accountForServers();
    await mkdir(files.directory, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    const password = await passwordIn(files.password);
    // Anew each time: a checkout may have moved since the last.
    await rm(files.libraries, { recursive: true, force: true });
    const environment = await libraryEnvironment(binaries, files.libraries);
    if (!(await exists(files.data))) await initialise({ binaries, account, environment, files });
    const url = `postgres://${USER}:${password}@${LOOPBACK}:${port}/${DATABASE}`;
    await startServer({
      processes,
      url,
      specification: {
        name: POSTGRES_PROCESS,
        command: binaries.postgres,
        args: serverArguments(files.data, port),
        environment,
        ...(account === undefined ? {} : { account }),
        // SIGTERM would wait for the clients; this one ends their connections and writes everything.
        stopSignal: 'SIGINT',
        stopWithinMs: STOP_WITHIN_MS,
      },
    });
    await writeFileAtomically(files.url, `${url}\n`);
    return { address: `${LOOPBACK}:${port}`, urlPath: files.url, url };
  });
}

interface Files {
  readonly directory: string;
  readonly data: string;
  readonly libraries: string;
  readonly password: string;
  readonly url: string;
}

function filesBelow(directory: string): Files {
  return {
    directory,
    data: join(directory, 'data'),
    libraries: join(directory, 'lib'),
    password: join(directory, 'password'),
    url: join(directory, 'url'),
  };
}

function serverArguments(data: string, port: number): readonly string[] {
  const settings = {
    listen_addresses: LOOPBACK,
    port,
    // The path of a socket may have 107 bytes, and a state directory may lie deeper.
    unix_socket_directories: '',
    max_connections: 50,
    shared_buffers: '32MB',
    // Nobody replicates from here.
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, is]) => ['-c', `${name}=${is}`])];
}

async function passwordIn(path: string): Promise<string> {
  const existing = await readFileIfPresent(path);
  if (existing !== undefined) return existing.trim();
  const password = randomBytes(24).toString('hex');
  await writeFileAtomically(path, `${password}\n`);
  return password;
}

/** Fills a folder beside the final one and renames it, so that a half filled one is never used. */
async function initialise(cluster: {
  readonly binaries: PostgresBinaries;
  readonly account: Account | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Files;
}): Promise<void> {
  const { binaries, account, environment, files } = cluster;
  const unfinished = `${files.data}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: PRIVATE_DIRECTORY_MODE });
  if (account !== undefined) await chown(unfinished, account.userId, account.groupId);
  const program = invocationAs(account, {
    command: binaries.initdb,
    args: [
      ...['--pgdata', unfinished, '--username', USER, '--pwfile', files.password],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C'],
      // A machine that dies within these two seconds has nothing to lose yet.
      ...['--no-sync', '--no-instructions'],
    ],
  });
  const { exitCode, tail } = await runCommand({ ...program, environment });
  if (exitCode !== 0) {
    throw new SandboxError({
      code: 'SANDBOX_START_FAILED',
      message: `The database in ${files.data} could not be made. The end of what initdb said:\n${tail}`,
      next: 'Remove what it names, or set DATABASE_URL to a PostgreSQL of your own.',
    });
  }
  await rename(unfinished, files.data);
}

/**
 * What is left of one that was killed stays for a moment longer: its children, which keep its
 * memory, and its pid until the system has collected it. A new one that finds either ends at once.
 */
async function startServer(server: {
  readonly processes: ProcessSupervisor;
  readonly url: string;
  readonly specification: ProcessSpecification;
}): Promise<void> {
  const { processes, url, specification } = server;
  for (let attemptsLeft = START_ATTEMPTS; ; attemptsLeft -= 1) {
    try {
      await processes.start(specification);
      await ready(url, processes);
      return;
    } catch (error) {
      if (attemptsLeft <= 1 || (await processes.isRunning(POSTGRES_PROCESS))) throw error;
      await sleep(START_AGAIN_AFTER_MS);
    }
  }
}

async function ready(url: string, processes: ProcessSupervisor): Promise<void> {
  // Loaded on demand: most commands look for the sandbox and start nothing.
  const { Client } = await import('pg');
  await waitUntil({
    what: 'PostgreSQL to take connections',
    probe: async () => {
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: READY_WITHIN_MS,
      });
      // A server that refuses while it starts may also drop the connection later on.
      client.on('error', () => undefined);
      await client.connect();
      await client.end();
      return true;
    },
    processes,
    needs: [POSTGRES_PROCESS],
    timeoutMs: READY_WITHIN_MS,
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
