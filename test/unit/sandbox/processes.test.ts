import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxError } from '../../../sandbox/sandbox-error.ts';
import { statePaths } from '../../../sandbox/state/directory.ts';
import type { StatePaths } from '../../../sandbox/state/directory.ts';
import { identifyProcess, isAlive } from '../../../sandbox/state/process-identity.ts';
import type { ProcessIdentity } from '../../../sandbox/state/process-identity.ts';
import { createProcessRecords } from '../../../sandbox/state/process-record.ts';
import { createProcessSupervisor } from '../../../sandbox/state/processes.ts';
import type { ProcessSupervisor } from '../../../sandbox/state/processes.ts';
import { describeUnless } from '../../setup/describe-unless.ts';

const SLEEP = { command: '/bin/sleep', args: ['600'] };
let paths: StatePaths;
let processes: ProcessSupervisor;
const strangers: ChildProcess[] = [];

/** A process that the sandbox did not start. */
async function startStranger(
  environment: Record<string, string> = {},
  argv0 = SLEEP.command,
): Promise<ProcessIdentity> {
  const child = spawn(SLEEP.command, SLEEP.args, { stdio: 'ignore', env: environment, argv0 });
  strangers.push(child);
  await once(child, 'spawn');
  const identity = await identifyProcess(child.pid ?? 0);
  if (identity === undefined) throw new Error('the stranger did not start');
  return identity;
}

function identityOf(record: { readonly identity?: ProcessIdentity }): ProcessIdentity {
  if (record.identity === undefined) throw new Error('a started process has an identity');
  return record.identity;
}

beforeEach(async () => {
  paths = statePaths(await mkdtemp(join(tmpdir(), 'holdfast-processes-')));
  processes = createProcessSupervisor(paths);
});

afterEach(async () => {
  await processes.stopAll();
  for (const child of strangers.splice(0)) child.kill('SIGKILL');
  await rm(paths.directory, { recursive: true });
});

describe('a process of the sandbox', () => {
  test('runs, is found again by another supervisor and ends when it is stopped', async () => {
    const identity = identityOf(await processes.start({ name: 'sleeper', ...SLEEP }));
    const later = createProcessSupervisor(paths);
    expect(await later.isRunning('sleeper')).toBe(true);
    await later.stop('sleeper');
    expect(await isAlive(identity)).toBe(false);
    expect(await later.list()).toEqual([]);
  });

  test('is not started twice', async () => {
    const first = await processes.start({ name: 'sleeper', ...SLEEP });
    const second = await processes.start({ name: 'sleeper', ...SLEEP });
    expect(second.identity).toEqual(first.identity);
  });

  test('is started again after it was killed', async () => {
    const first = identityOf(await processes.start({ name: 'sleeper', ...SLEEP }));
    process.kill(first.pid, 'SIGKILL');
    while (await isAlive(first)) await new Promise((resolve) => setImmediate(resolve));
    const second = identityOf(await processes.start({ name: 'sleeper', ...SLEEP }));
    expect(second).not.toEqual(first);
    expect(await isAlive(second)).toBe(true);
  });

  test('that ignores SIGTERM is killed', async () => {
    const { identity } = await processes.start({
      name: 'stubborn',
      command: '/bin/sh',
      args: ['-c', 'trap "" TERM; while true; do sleep 0.1; done'],
      stopWithinMs: 100,
    });
    await processes.stop('stubborn');
    expect(await isAlive(identityOf({ ...(identity && { identity }) }))).toBe(false);
  });

  test('that fails is told with the end of its log', async () => {
    const started = processes.start({
      name: 'failing',
      command: '/bin/sh',
      args: ['-c', 'echo the disk is full >&2; exec sleep 600'],
    });
    const identity = identityOf(await started);
    await waitForLog('the disk is full');
    process.kill(identity.pid, 'SIGKILL');
    while (await isAlive(identity)) await new Promise((resolve) => setImmediate(resolve));
    await expect(processes.assertRunning('failing')).rejects.toThrow('the disk is full');
  });

  test('whose program does not exist is an error that names it', async () => {
    const attempt = processes.start({ name: 'absent', command: '/no/such/program', args: [] });
    await expect(attempt).rejects.toBeInstanceOf(SandboxError);
    await expect(attempt).rejects.toThrow('/no/such/program');
  });
});

describe('a process of someone else', () => {
  test('that got the pid of one of ours is never killed', async () => {
    const stranger = await startStranger();
    await createProcessRecords(paths.processes).write({
      name: 'ours',
      ...SLEEP,
      logPath: join(paths.logs, 'ours.log'),
      identity: { pid: stranger.pid, startedAt: 'long before' },
    });
    expect(await processes.isRunning('ours')).toBe(false);
    await processes.stopAll();
    expect(await isAlive(stranger)).toBe(true);
    expect(await processes.list()).toEqual([]);
  });

  test('is left alone where ours was never started', async () => {
    const stranger = await startStranger();
    await createProcessRecords(paths.processes).write({
      name: 'ours',
      ...SLEEP,
      logPath: join(paths.logs, 'ours.log'),
    });
    await processes.stopAll();
    expect(await isAlive(stranger)).toBe(true);
  });
});

// Other systems do not show the environment of processes.
const reason =
  process.platform === 'linux' ? undefined : 'finding unrecorded processes needs /proc';

describeUnless(reason, 'a process that was never recorded', () => {
  test('is found and stopped although its starter died before writing down its pid', async () => {
    const records = createProcessRecords(paths.processes);
    await records.write({ name: 'ours', ...SLEEP, logPath: join(paths.logs, 'ours.log') });
    const orphan = await startStranger({
      HOLDFAST_SANDBOX_PROCESS: `${paths.directory}#ours`,
    });
    expect(await processes.isRunning('ours')).toBe(true);
    await processes.stopAll();
    expect(await isAlive(orphan)).toBe(false);
  });

  test('is stopped also while it is what takes its rights away, before the program itself', async () => {
    const records = createProcessRecords(paths.processes);
    const account = { userId: 65_534, groupId: 65_534 };
    await records.write({ name: 'ours', ...SLEEP, account, logPath: join(paths.logs, 'ours.log') });
    const marker = { HOLDFAST_SANDBOX_PROCESS: `${paths.directory}#ours` };
    const orphan = await startStranger(marker, 'setpriv');
    await processes.stopAll();
    expect(await isAlive(orphan)).toBe(false);
  });

  test('is stopped also when it comes up only while it is looked for', async () => {
    const records = createProcessRecords(paths.processes);
    await records.write({ name: 'ours', ...SLEEP, logPath: join(paths.logs, 'ours.log') });
    const stopped = processes.stopAll();
    await delay(50);
    const orphan = await startStranger({ HOLDFAST_SANDBOX_PROCESS: `${paths.directory}#ours` });
    await stopped;
    expect(await isAlive(orphan)).toBe(false);
  });
});

async function waitForLog(text: string): Promise<void> {
  const path = join(paths.logs, 'failing.log');
  while (!(await readFile(path, 'utf8')).includes(text)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
