/** Runs a command to its end and keeps the end of what it said. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { childEnvironment } from '../config.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** 127 where the command could not be started at all. */
  readonly exitCode: number;
  readonly stdout: string;
  /** The last lines of both streams, for an error message. */
  readonly tail: string;
}

const TAIL_LINES = 20;

export async function runCommand(command: Command): Promise<CommandResult> {
  const child = spawn(command.command, command.args, {
    ...(command.workingDirectory === undefined ? {} : { cwd: command.workingDirectory }),
    env: childEnvironment(command.environment ?? {}),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail: string[] = [];
  const stdout: string[] = [];
  const keep = (line: string): void => {
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    command.onLine?.(line);
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout.push(line);
    keep(line);
  });
  createInterface({ input: child.stderr }).on('line', keep);
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      keep(error.message);
      resolve(127);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
  return { exitCode, stdout: stdout.join('\n'), tail: tail.join('\n') };
}
