import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import path from 'node:path';

const entry = path.resolve(import.meta.dirname, '../../../workers/main.ts');

/** Nothing else of this process's environment; the last two only make a start faster. */
const inherited = Object.fromEntries(
  ['PATH', 'NODE_COMPILE_CACHE', 'HOLDFAST_WORKFLOW_BUNDLE'].map((name) => [
    name,
    process.env[name],
  ]),
);

/** A worker in a process of its own, as an operator runs it. */
export interface WorkerChild {
  /** Base address of its health paths; fails if the process ends before it is ready. */
  health(): Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Resolves as soon as the text stands in its log. */
  logged(text: string): Promise<void>;
  /** Exit code and everything it wrote, once it has ended. */
  ended(): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** `log` is an open file that takes its log instead of this process. */
export const startWorkerChild = (env: Record<string, string>, log?: number): WorkerChild => {
  const child: ChildProcess = spawn(process.execPath, [entry], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', log ?? 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, 'close').then(([code]: unknown[]) => code as number | null);
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      const [line, rest] = stdout.split('\n');
      if (line !== undefined && rest !== undefined) resolve(healthAddress(line));
    });
    void exit.then((code) =>
      reject(new Error(`the worker ended with ${String(code)}:\n${stderr}`)),
    );
  });
  // A test that only looks at the exit never asks for the address.
  ready.catch(() => undefined);
  return {
    health: () => ready,
    signal: (name) => void child.kill(name),
    logged: async (text) => {
      while (!stderr.includes(text)) await once(child.stderr as Readable, 'data');
    },
    ended: async () => ({ code: await exit, stdout, stderr }),
  };
};

const healthAddress = (line: string): string => {
  const { health } = JSON.parse(line) as { health: string };
  return health;
};
