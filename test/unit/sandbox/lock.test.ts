import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SandboxError } from '../../../sandbox/sandbox-error.ts';
import { withLock } from '../../../sandbox/state/lock.ts';
import type { LockOptions } from '../../../sandbox/state/lock.ts';
import { identifyProcess } from '../../../sandbox/state/process-identity.ts';

let directory: string;

function lock(changes: Partial<LockOptions> = {}): LockOptions {
  return {
    path: join(directory, 'some.lock'),
    purpose: 'testing',
    waitAtMostMs: 60_000,
    onWait: () => undefined,
    ...changes,
  };
}

async function leaveLockOf(identity: object): Promise<void> {
  await writeFile(lock().path, JSON.stringify({ ...identity, purpose: 'being somewhere else' }));
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('one at a time, whoever comes, and nothing is left', async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, async () => withLock(lock(), work)));
  expect(most).toBe(1);
  expect(await readdir(directory)).toEqual([]);
});

test('many that find the lock of a dead process still come one at a time', async () => {
  await leaveLockOf({ pid: process.pid, startedAt: 'in an earlier life' });
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, async () => withLock(lock(), work)));
  expect(most).toBe(1);
});

test('who waits is told for whom, and goes on when that one is killed', async () => {
  const holder = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
  await once(holder, 'spawn');
  await leaveLockOf((await identifyProcess(holder.pid ?? 0)) ?? {});
  const told: string[] = [];
  const result = await withLock(
    lock({
      onWait: ({ pid, purpose }) => {
        told.push(`${pid} is ${purpose}`);
        holder.kill('SIGKILL');
      },
    }),
    async () => Promise.resolve('done'),
  );
  expect(result).toBe('done');
  expect(told[0]).toBe(`${holder.pid ?? 0} is being somewhere else`);
});

test('waiting ends, with the name of the holder', async () => {
  await leaveLockOf((await identifyProcess(process.pid)) ?? {});
  const attempt = withLock(lock({ waitAtMostMs: 0 }), async () => Promise.resolve());
  await expect(attempt).rejects.toBeInstanceOf(SandboxError);
  await expect(attempt).rejects.toThrow(`Process ${process.pid} is still at work`);
});

test('work that fails frees the lock', async () => {
  const failing = withLock(lock(), async () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withLock(lock({ waitAtMostMs: 0 }), async () => Promise.resolve(1))).toBe(1);
});
