import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EndedRelease } from '../../domain/delivery/ended-release.ts';
import { codedFailure } from '../coded-failure.ts';
import type { ReleaseRecords } from './port.ts';

const runIdPattern = /^[0-9a-f-]{1,64}$/;

/**
 * One file for each release, named by its run. A counter in the memory of a worker dies with it,
 * and one that a workflow or an activity raises is raised again by an attempt that nobody heard of;
 * the figures are therefore counted anew from these files, which can only be made once.
 */
export const createFilesystemReleaseRecords = (options: { directory: string }): ReleaseRecords => {
  const { directory } = options;
  // What is recorded never changes, so that each file is read once by a process.
  const known = new Map<string, EndedRelease>();
  return {
    async add(record) {
      if (!runIdPattern.test(record.runId)) throw badRunId(record.runId);
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
        known.set(
          name,
          JSON.parse(await readFile(path.join(directory, name), 'utf8')) as EndedRelease,
        );
      }
      return [...known.values()];
    },
  };
};

const listed = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
};

const codeOf = (error: unknown): unknown => (Object(error) as { code?: unknown }).code;

const badRunId = (runId: string): Error =>
  codedFailure({
    code: 'INVALID_INPUT',
    message: `${JSON.stringify(runId)} is not the id of a run; nothing was recorded.`,
    subject: 'runId',
  });
