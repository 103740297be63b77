import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EndedRelease } from '../../domain/delivery/ended-release.ts';
import type { ReleaseRecords } from './port.ts';
import { requireRunId } from './release-run-id.ts';

export interface FiledReleaseRecords extends ReleaseRecords {
  /** Moves the file of a record that is kept elsewhere now out of the way. */
  setAside(runId: string): Promise<void>;
}

/**
 * One file for each release, named by its run. A counter in the memory of a worker dies with it,
 * and one that a workflow or an activity raises is raised again by an attempt that nobody heard of;
 * the figures are therefore counted anew from these files, which can only be made once.
 */
export const createFilesystemReleaseRecords = (options: {
  directory: string;
}): FiledReleaseRecords => {
  const { directory } = options;
  // What is recorded never changes, so that each file is read once by a process.
  const known = new Map<string, EndedRelease>();
  return {
    async add(record) {
      requireRunId(record.runId);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const file = path.join(directory, `${record.runId}.json`);
      const draft = path.join(directory, `${record.runId}.${randomBytes(6).toString('hex')}.draft`);
      await writeFile(draft, JSON.stringify(record), { mode: 0o600, flag: 'wx' });
      try {
        await link(draft, file);
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      } finally {
        await unlink(draft);
      }
    },
    async all() {
      const files = (await listed(directory)).filter((name) => name.endsWith('.json'));
      for (const name of files.filter((unread) => !known.has(unread))) {
        const text = await unlessGone(readFile(path.join(directory, name), 'utf8'));
        if (text !== undefined) known.set(name, JSON.parse(text) as EndedRelease);
      }
      return [...known.values()];
    },
    async setAside(runId) {
      requireRunId(runId);
      const name = `${runId}.json`;
      const aside = path.join(directory, 'taken-over');
      await mkdir(aside, { recursive: true, mode: 0o700 });
      // Another worker may have moved it first.
      await unlessGone(rename(path.join(directory, name), path.join(aside, name)));
      known.delete(name);
    },
  };
};

const listed = async (directory: string): Promise<string[]> =>
  (await unlessGone(readdir(directory))) ?? [];

const unlessGone = async <Result>(work: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const codeOf = (error: unknown): unknown => (Object(error) as { code?: unknown }).code;
