import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { exitOf, workersDirectory } from './worker-process.ts';

/** The bundle of the workflows, made while something else is waited for. */
export interface EarlyBundle {
  /** Path of the bundle; undefined if it could not be made, the workers then say why. */
  ready: Promise<string | undefined>;
  remove(): Promise<void>;
}

const entry = path.join(
  workersDirectory,
  `write-bundle${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
);

export const bundleEarly = async (): Promise<EarlyBundle> => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-bundle-'));
  const file = path.join(directory, 'workflows.js');
  const child = spawn(process.execPath, [entry, file], { stdio: 'ignore' });
  const ended = exitOf(child);
  return {
    ready: ended.then((code) => (code === 0 ? file : undefined)),
    remove: async () => {
      child.kill();
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
};
