import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { readSurroundings } from '../config.ts';
import { OpsError } from '../ops-error.ts';
import { workerEntry, workerEnvironment, type WorkerSettings } from './worker-process.ts';

/** Workers in the background: their output is in a file, and a crash starts them anew. */
export interface SupervisedWorker {
  /** Base address of `/livez` and `/readyz`. */
  readonly healthAddress: string;
  /** Base address of the codec endpoint, where there is one. */
  readonly codecAddress: string | undefined;
  readonly logPath: string;
  /** Settles when the workers crash again and again and are left alone. */
  readonly gaveUp: Promise<void>;
  /** Lets running work finish or hand over, and ends the process. */
  stop(): Promise<void>;
}

export interface SupervisionOptions {
  settings: WorkerSettings;
  /** Directory of the sandbox whose workers these are. */
  stateDirectory: string;
  /** Told when the process ended by itself, with how it ended. */
  onCrash: (how: string) => void;
}

// A worker that ends more often than this has a reason that another start does not remove.
const maxRestarts = 5;

/**
 * Starts workers and waits until they poll.
 *
 * @throws CONFIGURATION_INVALID naming the log if they end before that
 */
export const superviseWorker = async (options: SupervisionOptions): Promise<SupervisedWorker> => {
  const logPath = path.join(options.stateDirectory, 'logs', 'worker.log');
  await mkdir(path.dirname(logPath), { recursive: true });
  let current = startOne(options, logPath);
  const { healthAddress, codecAddress } = await current.ready;
  let stopping = false;
  // One that ends before it polls has crashed like any other.
  const keepAlive = async (): Promise<void> => {
    for (let restarts = 0; ; restarts += 1) {
      const how = await current.ended;
      if (stopping) return;
      options.onCrash(how);
      if (restarts === maxRestarts) return;
      try {
        current = startOne(options, logPath);
      } catch (error) {
        // The state directory is gone, or the machine takes no more files or processes.
        options.onCrash(messageOf(error));
        return;
      }
    }
  };
  const ended = keepAlive();
  return {
    healthAddress,
    codecAddress,
    logPath,
    gaveUp: ended,
    stop: async () => {
      stopping = true;
      current.child.kill('SIGTERM');
      await ended;
    },
  };
};

interface Addresses {
  healthAddress: string;
  codecAddress: string | undefined;
}

interface RunningWorker {
  child: ChildProcess;
  /** Rejects if it ends before it polls. */
  ready: Promise<Addresses>;
  /** How the process ended, e.g. `exit code 1` or `signal SIGKILL`. */
  ended: Promise<string>;
}

const startOne = (
  { settings, stateDirectory }: SupervisionOptions,
  logPath: string,
): RunningWorker => {
  const log = openSync(logPath, 'a', 0o600);
  const child = spawn(process.execPath, [workerEntry], {
    env: workerEnvironment(readSurroundings({ stateDirectory }), settings),
    // In a group of its own: Ctrl-C is for this command, which ends its workers in order.
    detached: true,
    stdio: ['ignore', 'pipe', log],
  });
  closeSync(log);
  const ended = endOf(child);
  const ready = Promise.race([
    readyLine(child),
    ended.then((how) => {
      throw endedEarly(how, logPath);
    }),
  ]);
  // Only the first start is waited for.
  ready.catch(() => undefined);
  return { child, ready, ended };
};

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const endOf = async (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${String(code)}` : `signal ${signal}`),
    );
  });

const readyLine = async (child: ChildProcess): Promise<Addresses> => {
  if (child.stdout === null) throw new Error('The worker has no standard output.');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const addresses = readyAddresses(line);
      if (addresses !== undefined) resolve(addresses);
    });
  });
};

const readyAddresses = (line: string): Addresses | undefined => {
  if (!line.startsWith('{')) return undefined;
  const parsed = JSON.parse(line) as { ready?: unknown; health?: unknown; codec?: string };
  return parsed.ready === true
    ? { healthAddress: String(parsed.health), codecAddress: parsed.codec }
    : undefined;
};

const endedEarly = (how: string, logPath: string): OpsError =>
  new OpsError({
    code: 'CONFIGURATION_INVALID',
    message: `The worker ended with ${how} before it polled. Its log is ${logPath}.`,
    next: 'Read the end of the log, correct what it names, and run the command again.',
    subject: logPath,
  });
