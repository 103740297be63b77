import { CommanderError } from 'commander';
import { errors } from '../../contracts/errors.ts';
import { OpsError } from '../ops-error.ts';
import { canvasOf, say, type Terminal } from './terminal.ts';
import { paint } from './paint.ts';

/** Exit codes that belong to no error. */
export const exitCodes = {
  ok: 0,
  usage: 2,
  /** The run waits for an approval, and the command does not. */
  waitsForApproval: 5,
  /** Watching ended before the run did. */
  watchTimedOut: 6,
  rolledBack: 7,
  interrupted: 130,
} as const;

/** Tells the error on stderr, and says with which code the command ends. */
export const reportError = (terminal: Terminal, error: unknown, json: boolean): number => {
  // Commander has written its own message by then; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
  const told = tellable(error);
  if (json) {
    terminal.stderr.write(`${JSON.stringify({ error: told })}\n`);
  } else {
    const { colour } = canvasOf(terminal, terminal.stderr);
    const [first = '', ...rest] = told.message.split('\n');
    say(terminal, `${paint(told.code, 'bad', colour)}: ${first}`);
    for (const line of rest) say(terminal, line);
    say(terminal, `next: ${told.next}`);
  }
  return told.exitCode;
};

interface Tellable {
  code: string;
  message: string;
  next: string;
  exitCode: number;
  subject?: string;
}

const tellable = (error: unknown): Tellable => {
  if (error instanceof OpsError) {
    const { code, message, next, exitCode, subject } = error;
    return { code, message, next, exitCode, ...(subject === undefined ? {} : { subject }) };
  }
  const message = error instanceof Error ? error.message : String(error);
  // Errors of the sandbox have codes of their own and the same two fields.
  if (error instanceof Error && 'code' in error && 'next' in error) {
    const { code, next } = error;
    return { code: String(code), message, next: String(next), exitCode: sandboxExitCode };
  }
  const { exitCode, next } = errors.INTERNAL;
  return { code: 'INTERNAL', message, next, exitCode };
};

// EX_UNAVAILABLE of sysexits.h: a service that is needed is not there.
const sandboxExitCode = errors.TEMPORAL_UNREACHABLE.exitCode;
