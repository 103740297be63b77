/** Runs a command of the machine to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { childEnvironment, readSandboxSettings } from '../config.ts';

export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Commands of the machine live in the sbin directories, which a user's PATH may lack. */
export function commandDirectories(): string[] {
  return ['/usr/sbin', '/sbin', ...readSandboxSettings().searchPath, '/usr/bin', '/bin'];
}

/** The standard output of the command; an error with its standard error when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const path = commandDirectories().join(':');
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: childEnvironment({ ...options.environment, LC_ALL: 'C', PATH: path }),
    timeout: options.timeoutMs ?? 60_000,
  });
  // A command that reads nothing may end before its input is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [output, complaint, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, string | null]>,
  ]);
  if (code === 0) return output;
  const line = [command, ...args].join(' ');
  const how = signal === null ? `exit code ${code ?? ''}` : signal;
  throw new Error(`${line} ended with ${how}: ${complaint.trim().slice(-2000)}`);
}

/** Whether the command is there and ends with exit code 0. */
export async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
