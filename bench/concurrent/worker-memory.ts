import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { WorkerProcess } from '../../test/kill/worker-process.ts';

const run = promisify(execFile);

const everyMs = 500;
const kilobytesInMegabyte = 1_024;

/** Resident memory of a process; nothing where it is gone, as a killed worker is for a moment. */
const residentMegabytes = async (pid: number): Promise<number | undefined> => {
  const asked = await run('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => undefined);
  const kilobytes = Number(asked?.stdout.trim());
  return Number.isFinite(kilobytes) && kilobytes > 0 ? kilobytes / kilobytesInMegabyte : undefined;
};

/** The most that any of the workers held at a time, from now on until it is asked. */
export const watchMemory = (workers: readonly WorkerProcess[]): (() => number) => {
  let most = 0;
  const look = async (): Promise<void> => {
    const seen = await Promise.all(
      workers.map(async ({ pid }) => (pid === undefined ? undefined : residentMegabytes(pid))),
    );
    most = Math.max(most, ...seen.map((megabytes) => megabytes ?? 0));
  };
  const timer = setInterval(() => void look(), everyMs);
  return () => {
    clearInterval(timer);
    if (most === 0) throw new Error('the memory of the workers was never read');
    return most;
  };
};

const cores = 2;

/** Holds a worker to two cores where the machine has more. */
export const limitCores = async ({ pid }: WorkerProcess): Promise<void> => {
  if (pid === undefined || availableParallelism() <= cores) return;
  await run('taskset', ['-a', '-c', '-p', `0-${String(cores - 1)}`, String(pid)]);
};
