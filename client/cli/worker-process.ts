import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readSurroundings, type Surroundings } from '../config.ts';
import { OpsError } from '../ops-error.ts';
import { environmentWith } from './config.ts';
import type { Terminal } from './terminal.ts';
import type { WorkerFlags } from './worker-verb.ts';

/** Settings of a worker process that do not come from its own environment. */
export interface WorkerSettings {
  pools?: string | undefined;
  environmentsFile?: string | undefined;
  queuePrefix?: string | undefined;
}

const sourceSuffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const workerEntry = path.join(import.meta.dirname, '..', '..', 'workers', `main${sourceSuffix}`);

/** Runs workers in the foreground; their output is this command's. Returns their exit code. */
export const runWorker = async (_terminal: Terminal, flags: WorkerFlags): Promise<number> => {
  const environment = workerEnvironment(readSurroundings(), {
    pools: flags.pools,
    environmentsFile: flags.environments,
  });
  const child = spawn(
    process.execPath,
    [workerEntry, ...(flags.printConfig === true ? ['--print-config'] : [])],
    { env: environment, stdio: 'inherit' },
  );
  return passSignalsUntilExit(child);
};

/** A worker in the background whose output is in a file. */
export interface BackgroundWorker {
  readonly pid: number;
  /** Base address of `/livez` and `/readyz`. */
  readonly healthAddress: string;
  readonly logPath: string;
  /** Settles with the exit code when the process has ended. */
  readonly ended: Promise<number>;
  /** Lets running work finish or hand over, and ends the process. */
  stop(): Promise<void>;
}

/**
 * Starts workers and waits until they poll.
 *
 * @throws CONFIGURATION_INVALID with the last lines of the log if they end instead
 */
export const startBackgroundWorker = async (
  settings: WorkerSettings,
): Promise<BackgroundWorker> => {
  const surroundings = readSurroundings();
  const logPath = path.join(surroundings.stateDirectory, 'logs', 'worker.log');
  await mkdir(path.dirname(logPath), { recursive: true });
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(process.execPath, [workerEntry], {
    env: workerEnvironment(surroundings, settings),
    stdio: ['ignore', 'pipe', log],
  });
  const ended = exitOf(child);
  const healthAddress = await Promise.race([
    readyLine(child),
    ended.then((code) => {
      throw endedEarly(code, logPath);
    }),
  ]);
  return {
    pid: child.pid ?? 0,
    healthAddress,
    logPath,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
};

const readyLine = async (child: ChildProcess): Promise<string> => {
  if (child.stdout === null) throw new Error('The worker has no standard output.');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const address = readyAddress(line);
      if (address !== undefined) resolve(address);
    });
  });
};

const readyAddress = (line: string): string | undefined => {
  if (!line.startsWith('{')) return undefined;
  const parsed = JSON.parse(line) as { ready?: unknown; health?: unknown };
  return parsed.ready === true ? String(parsed.health) : undefined;
};

const endedEarly = (code: number, logPath: string): OpsError =>
  new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: `The worker ended with exit code ${String(code)} before it polled. Its log is ${logPath}.`,
    next: 'Read the end of the log, correct what it names, and run the command again.',
    subject: logPath,
  });

/** The environment of a worker: its own settings first, then what is around this command. */
const workerEnvironment = (
  surroundings: Surroundings,
  { pools, environmentsFile, queuePrefix }: WorkerSettings,
): NodeJS.ProcessEnv => {
  const { sandbox, stateDirectory, blobDirectory } = surroundings;
  const sandboxEnvironments = path.join(stateDirectory, 'environments.yaml');
  return environmentWith({
    defaults: {
      TEMPORAL_ADDRESS: sandbox?.temporal.address,
      TEMPORAL_NAMESPACE: sandbox?.temporal.namespace,
      HOLDFAST_BLOBS: blobDirectory,
      HOLDFAST_ENVIRONMENTS: existsSync(sandboxEnvironments) ? sandboxEnvironments : undefined,
    },
    overrides: {
      HOLDFAST_POOLS: pools,
      HOLDFAST_ENVIRONMENTS: environmentsFile,
      HOLDFAST_QUEUE_PREFIX: queuePrefix,
    },
  });
};

const exitOf = async (child: ChildProcess): Promise<number> =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });

const passSignalsUntilExit = async (child: ChildProcess): Promise<number> => {
  // A terminal sends Ctrl-C to the child as well; what is left to do here is to wait for it.
  const ignore = (): void => undefined;
  const pass = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', pass);
  try {
    return await exitOf(child);
  } finally {
    process.removeListener('SIGINT', ignore);
    process.removeListener('SIGTERM', pass);
  }
};
