import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { Stack } from '../../kill/release-rig.ts';

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A shell in the stack's directory, in which someone types `holdfast …`. */
export interface UserTerminal {
  start(args: readonly string[]): ChildProcess;
  /** Runs the command as a user would, and waits for its end. */
  holdfast(args: readonly string[], stdin?: string): Promise<Ended>;
}

export const packageDirectory = path.resolve(import.meta.dirname, '../../..');

/** Where the commands are typed, and which servers they talk to. */
type Surroundings = Pick<
  Stack,
  'directory' | 'temporalAddress' | 'temporalNamespace' | 'blobsDirectory' | 'workflowBundlePath'
> & { databaseUrl?: string };

export const openTerminal = (
  stack: Surroundings,
  queuePrefix: string,
  settings: Readonly<Record<string, string>> = {},
): UserTerminal => {
  const start = (args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [path.join(packageDirectory, 'client/cli/main.ts'), ...args], {
      cwd: stack.directory,
      env: {
        ...process.env,
        TEMPORAL_ADDRESS: stack.temporalAddress,
        TEMPORAL_NAMESPACE: stack.temporalNamespace,
        HOLDFAST_STATE_DIR: stack.directory,
        HOLDFAST_BLOBS: stack.blobsDirectory,
        DATABASE_URL: stack.databaseUrl ?? '',
        HOLDFAST_QUEUE_PREFIX: queuePrefix,
        HOLDFAST_TIMEOUTS: 'test',
        HOLDFAST_WORKFLOW_BUNDLE: stack.workflowBundlePath,
        HOLDFAST_ACTOR: 'ana@example.com',
        ...settings,
      },
    });
  return {
    start,
    holdfast: async (args, stdin = '') => {
      const child = start(args);
      child.stdin?.end(stdin);
      if (child.stdout === null || child.stderr === null) throw new Error('no output');
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
      if (child.exitCode === null) await once(child, 'exit');
      return { exitCode: child.exitCode, stdout, stderr };
    },
  };
};
