/** A lock between processes that a crash of its holder cannot leave behind for good. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { PRIVATE_DIRECTORY_MODE, readFileIfPresent } from './atomic-file.ts';
import { identifyProcess, isAlive } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface LockHolder extends ProcessIdentity {
  /** What the holder is doing, for those who wait. */
  readonly purpose: string;
}

export interface LockOptions {
  readonly path: string;
  readonly purpose: string;
  /** Called about once a second while another process holds the lock. */
  readonly onWait: (holder: LockHolder) => void;
  /** After this, waiting ends with SANDBOX_LOCKED. */
  readonly waitAtMostMs: number;
}

const LOOK_EVERY_MS = 100;
const TELL_EVERY_MS = 1_000;

/** Runs while no other process, and no other call of this one, holds the lock. */
export async function withLock<T>(options: LockOptions, run: () => Promise<T>): Promise<T> {
  const content = await acquire(options);
  try {
    return await run();
  } finally {
    // Only our own: after a stale take-over gone wrong it could be another's.
    if ((await readFileIfPresent(options.path)) === content)
      await rm(options.path, { force: true });
  }
}

async function acquire(options: LockOptions): Promise<string> {
  const content = await describeOurselves(options.purpose);
  const deadline = performance.now() + options.waitAtMostMs;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  while (!(await createExclusively(options.path, content))) {
    const holder = await readHolder(options.path);
    if (holder === undefined) continue;
    const alive = await isAlive(holder);
    if (!alive && (await removeStale({ path: options.path, stale: holder, content }))) continue;
    if (performance.now() > deadline) throw stillLocked(options, holder);
    if (alive && performance.now() - toldAtMs >= TELL_EVERY_MS) {
      toldAtMs = performance.now();
      options.onWait(holder);
    }
    await sleep(LOOK_EVERY_MS);
  }
  return content;
}

async function describeOurselves(purpose: string): Promise<string> {
  const identity = await identifyProcess(process.pid);
  if (identity === undefined) throw new Error('This process does not find itself.');
  // The random part tells two calls of the same process apart.
  return JSON.stringify({ ...identity, purpose, call: randomUUID() });
}

/** A link appears with its whole content or not at all, unlike a file that is created and filled. */
async function createExclusively(path: string, content: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, content, { mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  const text = await readFileIfPresent(path);
  return text === undefined ? undefined : (JSON.parse(text) as LockHolder);
}

/**
 * Removes the lock of a dead process; false where another process is about to.
 * Only who holds the guard removes, and looks again under it: else one that was
 * slow could remove the lock that a faster one has put in the stale one's place.
 */
async function removeStale(lock: {
  readonly path: string;
  readonly stale: LockHolder;
  readonly content: string;
}): Promise<boolean> {
  const guard = `${lock.path}.removal`;
  if (!(await createExclusively(guard, lock.content))) {
    const other = await readHolder(guard);
    // Died within the few instructions below; nobody else would ever free the guard.
    if (other !== undefined && !(await isAlive(other))) await rm(guard, { force: true });
    return false;
  }
  try {
    if (isSameProcess(await readHolder(lock.path), lock.stale)) {
      await rm(lock.path, { force: true });
    }
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

function isSameProcess(one: LockHolder | undefined, other: LockHolder): boolean {
  return one?.pid === other.pid && one.startedAt === other.startedAt;
}

function stillLocked(options: LockOptions, holder: LockHolder): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_LOCKED',
    message: `Process ${holder.pid} is still at work (${holder.purpose}) and holds ${options.path}. Nothing was changed.`,
    next: 'Wait for it to end, or end it, and run the command again.',
  });
}
