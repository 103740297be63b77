import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const workerEntry = path.resolve(import.meta.dirname, '../../workers/main.ts');

/** A worker in a process of its own, which a test may kill as a crash would. */
export interface WorkerProcess {
  /** SIGKILL, and another process at once: what a supervisor does after a crash. */
  crash(): void;
  /** Stops the process without ending it, as a machine that hangs; `wake` continues it. */
  freeze(): void;
  wake(): void;
  /** How often it was started. */
  readonly starts: number;
  /** Of the process that runs now. */
  readonly pid: number | undefined;
  /** Returns when the process that was started last polls its queues. */
  whenReady(): Promise<void>;
  stop(): Promise<void>;
}

/** A worker says once in a line of JSON that it polls. */
const timesReady = (logPath: string): number =>
  readFileSync(logPath, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"ready":true')).length;

export const startWorkerProcess = (env: Record<string, string>, logPath: string): WorkerProcess => {
  let starts = 0;
  let readyBefore = 0;
  const start = (): ChildProcess => {
    starts += 1;
    const log = openSync(logPath, 'a');
    readyBefore = timesReady(logPath);
    return spawn(process.execPath, [workerEntry], {
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
  };
  let child = start();
  return {
    crash: () => {
      child.kill('SIGKILL');
      child = start();
    },
    freeze: () => {
      child.kill('SIGSTOP');
    },
    wake: () => {
      child.kill('SIGCONT');
    },
    get starts() {
      return starts;
    },
    get pid() {
      return child.pid;
    },
    whenReady: async () => {
      while (timesReady(logPath) <= readyBefore) await delay(50);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
};
