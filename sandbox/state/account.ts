/** Runs a program with fewer rights than ours, for servers that refuse to be root. */
import { readFile } from 'node:fs/promises';
import { SandboxError } from '../sandbox-error.ts';

/** A user of this machine, by number. */
export interface Account {
  readonly userId: number;
  readonly groupId: number;
}

export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
}

/** Exists on every Linux, so that no user has to be made, and owns nothing. */
const NOBODY = 'nobody';

/** The account for a server that refuses to run as root; undefined where we are not root. */
export async function accountForServers(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = process.platform === 'linux' ? await readFile('/etc/passwd', 'utf8') : '';
  const [, , userId, groupId] =
    users
      .split('\n')
      .map((line) => line.split(':'))
      .find(([name]) => name === NOBODY) ?? [];
  if (userId !== undefined && groupId !== undefined) {
    return { userId: Number(userId), groupId: Number(groupId) };
  }
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `PostgreSQL does not run as root, and there is no user ${NOBODY} here to run it as. It was not started.`,
    next: 'Run as another user, or set DATABASE_URL to a PostgreSQL of your own.',
  });
}

/**
 * The program as that account. What it needs may lie below folders that only root may enter (a
 * checkout in root's home), so that it keeps the right to read, and no other.
 */
export function invocationAs(account: Account | undefined, program: Invocation): Invocation {
  if (account === undefined) return program;
  const only = '-all,+dac_read_search';
  return {
    command: 'setpriv',
    args: [
      `--reuid=${account.userId}`,
      `--regid=${account.groupId}`,
      '--clear-groups',
      '--no-new-privs',
      ...['--bounding-set', only, '--inh-caps', only, '--ambient-caps', only],
      program.command,
      ...program.args,
    ],
  };
}
