import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export interface CommandOptions {
  readonly command: readonly [string, ...string[]];
  /** After this the whole process group is killed and the command counts as failed. */
  readonly stopAfterMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Of commands that run side by side, each prints at its end, so that its lines stay together. */
  readonly prints?: 'as-it-comes' | 'at-its-end';
}

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Why it is not ok, when the command's own output cannot tell. */
  readonly problem?: string;
}

const DRAIN_MS = 2_000;

const running = new Set<ChildProcess>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    for (const child of running) signalGroup(child, signal);
    process.exitCode = 130;
  });
}

/**
 * Runs a command in a process group of its own, so that nothing it started outlives a time-out. What
 * it prints goes to stderr; stdout belongs to the summary.
 */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  const [executable, ...args] = options.command;
  const keeps = options.prints === 'at-its-end';
  const child = spawn(executable, args, {
    detached: true,
    stdio: ['ignore', 'pipe', keeps ? 'pipe' : 'inherit'],
    env: { ...process.env, ...options.env },
  });
  running.add(child);
  let stdout = '';
  const kept: string[] = [];
  const print = (text: string): void => {
    if (keeps) kept.push(text);
    else process.stderr.write(text);
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    print(text);
  });
  child.stderr?.setEncoding('utf8').on('data', print);
  try {
    const problem = await ending(child, options.stopAfterMs);
    return {
      ok: problem === undefined,
      stdout,
      ...(problem === '' || problem === undefined ? {} : { problem }),
    };
  } finally {
    running.delete(child);
    child.stdout?.destroy();
    child.stderr?.destroy();
    process.stderr.write(kept.join(''));
  }
}

/** Undefined for success, else what happened; an empty text when the command itself has said it. */
function ending(child: ChildProcess, stopAfterMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let problem: string | undefined;
    const timer = setTimeout(() => {
      problem = `stopped after ${stopAfterMs / 1_000} s`;
      signalGroup(child, 'SIGKILL');
    }, stopAfterMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (code !== 0) problem ??= signal === null ? '' : `ended by ${signal}`;
      // The rest of the output is still in the pipe. A daemon that the command left behind may hold
      // the other end open for good, so this does not wait for the end of the stream alone.
      const drained = setTimeout(() => resolve(problem), DRAIN_MS);
      child.once('close', () => {
        clearTimeout(drained);
        resolve(problem);
      });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group ended by itself in the meantime.
  }
}
