import { Readable } from 'node:stream';
import { createProgram } from '../../../client/cli/program.ts';
import { reportError } from '../../../client/cli/report-error.ts';
import type { Ended } from './user-terminal.ts';

/**
 * A command as somebody types it, in this process: what it prints and the exit code that it ends with.
 * One at a time, since the variables are those of the process.
 */
export const typed = async (
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Ended> => {
  const ended: Ended = { exitCode: 0, stdout: '', stderr: '' };
  const terminal = {
    stdout: { write: (text: string) => (ended.stdout += text) },
    stderr: { write: (text: string) => (ended.stderr += text) },
    ...{ stdin: Readable.from([]), canAsk: false, colour: false },
  };
  const before = { ...process.env };
  Object.assign(process.env, variables);
  try {
    const context = { terminal, end: (exitCode: number) => (ended.exitCode = exitCode) };
    await createProgram(context).parseAsync(args, { from: 'user' });
  } catch (error) {
    ended.exitCode = reportError(terminal, error, args.includes('--json'));
  } finally {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = before[name];
    }
  }
  return ended;
};
