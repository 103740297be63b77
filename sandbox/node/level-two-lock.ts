/**
 * Who holds the one real node of this machine. The lock is a file below /run, so
 * that it does not outlive the machine, and names its holder for everyone.
 */
import { chmod, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { readFileIfPresent } from '../state/atomic-file.ts';
import { identifyProcess, isAlive } from '../state/process-identity.ts';
import type { ProcessIdentity } from '../state/process-identity.ts';
import { MACHINE_DIRECTORY } from './node-layout.ts';

const LOCK_FILE = join(MACHINE_DIRECTORY, 'level-two.json');

interface LockRecord {
  /** The process that took the lock; the node lives on after it has ended. */
  readonly pid: number;
  readonly checkout: string;
  readonly stateDirectory: string;
  readonly since: string;
  /** The lock is held as long as one lives: first the one that took it, then those of the node. */
  readonly processes: readonly ProcessIdentity[];
}

/** The sandbox that has the node, as its lock file tells it. */
export interface Holder extends LockRecord {
  /** Is one of its processes still running? A dead holder is cleared away by whoever comes next. */
  readonly alive: boolean;
}

/** The sandbox that holds the node of this machine, whoever asks. */
export async function levelTwoHolder(): Promise<Holder | undefined> {
  const record = await readRecord();
  if (record === undefined) return undefined;
  const alive = await Promise.all(record.processes.map(isAlive));
  return { ...record, alive: alive.includes(true) };
}

/** What is told to a sandbox that finds the node held by another one. */
export function heldBy(holder: Holder): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_LEVEL_UNAVAILABLE',
    message:
      `The real node of this machine belongs to the sandbox of ${holder.checkout} (state directory ` +
      `${holder.stateDirectory}, started by process ${holder.pid} at ${holder.since}). Nothing was changed.`,
    next: 'Run `holdfast sandbox down` in that checkout, or use level 1 here.',
  });
}

export interface LockRequest {
  readonly checkout: string;
  readonly stateDirectory: string;
  /** Clears away what a dead holder left on the machine, before its lock is taken over. */
  readonly clearAway: (holder: Holder) => Promise<void>;
}

/**
 * Takes the lock, or confirms it for the state directory that has it. To be
 * called inside `whileHoldingMachine`, like everything here that writes.
 */
export async function takeLevelTwo(request: LockRequest): Promise<void> {
  const { checkout, stateDirectory } = request;
  const holder = await levelTwoHolder();
  if (holder?.stateDirectory === stateDirectory) {
    await keepLevelTwo(stateDirectory, [await ownIdentity()]);
    return;
  }
  if (holder?.alive === true) throw heldBy(holder);
  if (holder !== undefined) await request.clearAway(holder);
  await writeRecord({
    pid: process.pid,
    checkout,
    stateDirectory,
    since: new Date().toISOString(),
    processes: [await ownIdentity()],
  });
}

/** Adds processes of the node to the holder's: the lock is held as long as one of them runs. */
export async function keepLevelTwo(
  stateDirectory: string,
  added: readonly ProcessIdentity[],
): Promise<void> {
  const record = await readRecord();
  if (record?.stateDirectory !== stateDirectory) {
    throw new SandboxError({
      code: 'SANDBOX_LEVEL_UNAVAILABLE',
      message: `The node of this machine is not held by the state directory ${stateDirectory}.`,
      next: 'Run `holdfast sandbox down`, then `holdfast sandbox up`.',
    });
  }
  const kept: ProcessIdentity[] = [...added];
  for (const earlier of record.processes) {
    const isNew = !kept.some(({ pid }) => pid === earlier.pid);
    if (isNew && (await isAlive(earlier))) kept.push(earlier);
  }
  await writeRecord({ ...record, processes: kept });
}

/** Leaves the lock to the node's processes alone: this process may go on or end. */
export async function leaveLevelTwoToNode(stateDirectory: string): Promise<void> {
  const record = await readRecord();
  if (record?.stateDirectory !== stateDirectory) return;
  const processes = record.processes.filter(({ pid }) => pid !== process.pid);
  await writeRecord({ ...record, processes });
}

/** Gives the lock up, if it is this state directory's. */
export async function releaseLevelTwo(stateDirectory: string): Promise<void> {
  const record = await readRecord();
  if (record?.stateDirectory !== stateDirectory) return;
  await rm(LOCK_FILE, { force: true });
  await rmdir(MACHINE_DIRECTORY).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'ENOTEMPTY') throw error;
  });
}

async function ownIdentity(): Promise<ProcessIdentity> {
  const own = await identifyProcess(process.pid);
  if (own === undefined) throw new Error('/proc is not mounted: processes cannot be told apart.');
  return own;
}

/** Readers need no lock: they see the record of before or of after, never half of one. */
async function writeRecord(record: LockRecord): Promise<void> {
  await mkdir(MACHINE_DIRECTORY, { recursive: true, mode: 0o755 });
  const temporary = `${LOCK_FILE}.new`;
  await writeFile(temporary, JSON.stringify(record));
  // Every user of the machine may ask who holds the node, whatever our umask.
  await chmod(temporary, 0o644);
  await rename(temporary, LOCK_FILE);
}

async function readRecord(): Promise<LockRecord | undefined> {
  const text = await readFileIfPresent(LOCK_FILE);
  return text === undefined ? undefined : (JSON.parse(text) as LockRecord);
}
