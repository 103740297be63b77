/** The cgroups that kubelet makes for pods, in every hierarchy of the machine. */
import { readFile, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../sandbox-error.ts';

const POD_CGROUP = 'kubepods';

/** The directories of the pods' cgroups, each one after those below it. */
export async function podCgroups(): Promise<string[]> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n');
  const hierarchies = mounts
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path = '']) => join(path, POD_CGROUP));
  return (await Promise.all(hierarchies.map(withDescendants))).flat();
}

async function withDescendants(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (entries === undefined) return [];
  const below = entries.filter((entry) => entry.isDirectory());
  const deeper = await Promise.all(below.map(({ name }) => withDescendants(join(directory, name))));
  return [...deeper.flat(), directory];
}

/** Removes the cgroups; their processes must have ended. */
export async function removePodCgroups(): Promise<void> {
  for (const directory of await podCgroups()) {
    await rmdir(directory).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    });
  }
}
