/** Starts processes that outlive us and stops exactly those, however we ended in between. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../config.ts';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { invocationAs } from './account.ts';
import { PRIVATE_DIRECTORY_MODE } from './atomic-file.ts';
import type { StatePaths } from './directory.ts';
import { lastLogLines } from './logs.ts';
import { commandOf, findByEnvironment, identifyProcess, isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { createProcessRecords } from './process-record.ts';
import type { ProcessRecord, ProcessRecords, ProcessSpecification } from './process-record.ts';

/** Processes carry this variable, so that one whose pid was never recorded can still be found. */
const MARKER = 'HOLDFAST_SANDBOX_PROCESS';
const DEFAULT_STOP_WITHIN_MS = 5_000;
/** The kernel needs a moment to take a killed process away, longer under memory pressure. */
const KILL_WITHIN_MS = 10_000;
/** From the decision to start a process to the moment in which it can be told from others. */
const COMES_UP_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 20;

export interface ProcessSupervisor {
  /**
   * Starts the process as a daemon in its own session. One of that name that
   * is alive is left as it is.
   */
  start(specification: ProcessSpecification): Promise<ProcessRecord>;
  /** Is the process of that name, started by us, alive? */
  isRunning(name: string): Promise<boolean>;
  /** Stops the process of that name and forgets it. Does nothing where there is none. */
  stop(name: string): Promise<void>;
  stopAll(): Promise<void>;
  list(): Promise<readonly ProcessRecord[]>;
  /** Fails with the end of the log if the process has died. */
  assertRunning(name: string): Promise<void>;
}

interface Supervision {
  readonly paths: StatePaths;
  readonly records: ProcessRecords;
}

export function createProcessSupervisor(paths: StatePaths): ProcessSupervisor {
  const records = createProcessRecords(paths.processes);
  const supervision: Supervision = { paths, records };
  return {
    start: async (specification) => start(supervision, specification),
    stop: async (name) => stop(supervision, name),
    isRunning: async (name) => isRunning(supervision, name),
    assertRunning: async (name) => assertRunning(supervision, name),
    list: async () => records.list(),
    stopAll: async () => {
      const all = await records.list();
      await Promise.all(all.map(async (record) => stop(supervision, record.name)));
    },
  };
}

async function start(
  supervision: Supervision,
  specification: ProcessSpecification,
): Promise<ProcessRecord> {
  const { paths, records } = supervision;
  const { name } = specification;
  const previous = await records.read(name);
  if (previous?.identity !== undefined && (await isAlive(previous.identity))) return previous;
  if (previous !== undefined) await stop(supervision, name);
  const logPath = join(paths.logs, `${name}.log`);
  const intention: ProcessRecord = { ...specification, logPath };
  await records.write(intention);
  const identity = await spawnDaemon(intention, markerOf(paths, name));
  const record = { ...intention, identity };
  await records.write(record);
  return record;
}

async function stop({ paths, records }: Supervision, name: string): Promise<void> {
  const record = await records.read(name);
  if (record === undefined) return;
  const identity =
    record.identity === undefined
      ? await unrecordedWithin(paths, record, COMES_UP_WITHIN_MS)
      : await liveIdentity(paths, record);
  if (identity !== undefined) await endProcess(record, identity);
  await records.remove(name);
}

async function isRunning({ paths, records }: Supervision, name: string): Promise<boolean> {
  const record = await records.read(name);
  return record !== undefined && (await liveIdentity(paths, record)) !== undefined;
}

async function assertRunning(supervision: Supervision, name: string): Promise<void> {
  if (await isRunning(supervision, name)) return;
  const logPath = join(supervision.paths.logs, `${name}.log`);
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `${name} ended while it was needed. The end of its log:\n${await lastLogLines(logPath, 15)}`,
    next: `Read ${logPath}; start again with \`holdfast sandbox up\`.`,
  });
}

async function liveIdentity(
  paths: StatePaths,
  record: ProcessRecord,
): Promise<ProcessIdentity | undefined> {
  if (record.identity === undefined) return findUnrecorded(paths, record);
  return (await isAlive(record.identity)) ? record.identity : undefined;
}

function markerOf(paths: StatePaths, name: string): string {
  return `${paths.directory}#${name}`;
}

async function spawnDaemon(record: ProcessRecord, marker: string): Promise<ProcessIdentity> {
  await mkdir(join(record.logPath, '..'), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  const log = await open(record.logPath, 'a', 0o600);
  try {
    const { command, args } = invocationAs(record.account, record);
    const child = spawn(command, args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: childEnvironment({ ...record.environment, [MARKER]: marker }),
    });
    await once(child, 'spawn');
    child.unref();
    return await identityOfChild(record, child.pid);
  } catch (error) {
    if (error instanceof SandboxError) throw error;
    throw new SandboxError({
      code: 'SANDBOX_START_FAILED',
      message: `${record.command} could not be started as ${record.name}: ${String(error)}`,
      next: 'Run `holdfast sandbox doctor`.',
      cause: error,
    });
  } finally {
    await log.close();
  }
}

async function identityOfChild(
  record: ProcessRecord,
  pid: number | undefined,
): Promise<ProcessIdentity> {
  const identity = pid === undefined ? undefined : await identifyProcess(pid);
  if (identity !== undefined) return identity;
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `${record.name} ended at once. The end of its log:\n${await lastLogLines(record.logPath, 15)}`,
    next: `Read ${record.logPath}.`,
  });
}

/**
 * Children inherit the marker, so only the one that runs the recorded command is ours to stop; or
 * that takes its rights away first and then becomes it.
 */
async function findUnrecorded(
  paths: StatePaths,
  record: ProcessRecord,
): Promise<ProcessIdentity | undefined> {
  const commands = [record.command, invocationAs(record.account, record).command];
  for (const identity of await findByEnvironment(`${MARKER}=${markerOf(paths, record.name)}`)) {
    const command = await commandOf(identity.pid);
    if (command !== undefined && commands.includes(command)) return identity;
  }
  return undefined;
}

/** Whoever started it was killed, perhaps before the new process had its environment. */
async function unrecordedWithin(
  paths: StatePaths,
  record: ProcessRecord,
  limitMs: number,
): Promise<ProcessIdentity | undefined> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const identity = await findUnrecorded(paths, record);
    if (identity !== undefined || performance.now() > deadline) return identity;
    await sleep(LOOK_EVERY_MS);
  }
}

async function endProcess(record: ProcessRecord, identity: ProcessIdentity): Promise<void> {
  const { stopSignal = 'SIGTERM' } = record;
  if (stopSignal !== 'SIGKILL') {
    signal(identity, stopSignal);
    if (await endsWithin(identity, record.stopWithinMs ?? DEFAULT_STOP_WITHIN_MS)) return;
  }
  // Between the look and the signal the pid could pass on; look once more right before.
  if (!(await isAlive(identity))) return;
  signal(identity, 'SIGKILL');
  if (await endsWithin(identity, KILL_WITHIN_MS)) return;
  throw new SandboxError({
    code: 'SANDBOX_STOP_FAILED',
    message: `${record.name} (process ${identity.pid}) did not end, even by SIGKILL.`,
    next: 'Run `holdfast sandbox down` again; its record is kept.',
  });
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return;
    throw error;
  }
}

async function endsWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await sleep(LOOK_EVERY_MS);
  }
  return true;
}
