import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AuditEntry } from '../../../domain/security/audit-record.ts';

/** Entries that wait for a database that does not answer, one file each. */
export interface WaitingEntries {
  keep(entries: readonly AuditEntry[]): Promise<void>;
  /** Hands over what waits, the oldest first, and forgets what was taken. Returns how many. */
  handOver(take: (entries: readonly AuditEntry[]) => Promise<unknown>): Promise<number>;
}

const entriesAtATime = 500;

export const createWaitingEntries = (directory: string): WaitingEntries => ({
  keep: async (entries) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const entry of entries) await keepOne(directory, entry);
  },
  handOver: async (take) => {
    const names = (await namesIn(directory)).filter((name) => name.endsWith('.json')).sort();
    for (let at = 0; at < names.length; at += entriesAtATime) {
      const some = names.slice(at, at + entriesAtATime);
      const found = await Promise.all(some.map(async (name) => entryIn(directory, name)));
      await take(found.filter((entry) => entry !== undefined));
      for (const name of some) await unlessGone(unlink(path.join(directory, name)));
    }
    return names.length;
  },
});

/** Named by its time and its id: told twice it waits once. */
const keepOne = async (directory: string, entry: AuditEntry): Promise<void> => {
  const id = createHash('sha256').update(entry.id).digest('hex').slice(0, 32);
  const name = `${String(entry.atMs).padStart(15, '0')}-${id}.json`;
  const draft = path.join(directory, `${name}.${randomBytes(6).toString('hex')}.draft`);
  await writeFile(draft, JSON.stringify(entry), { mode: 0o600, flag: 'wx', flush: true });
  await rename(draft, path.join(directory, name));
};

const entryIn = async (directory: string, name: string): Promise<AuditEntry | undefined> => {
  const text = await unlessGone(readFile(path.join(directory, name), 'utf8'));
  return text === undefined ? undefined : (JSON.parse(text) as AuditEntry);
};

const namesIn = async (directory: string): Promise<string[]> =>
  (await unlessGone(readdir(directory))) ?? [];

/** Another worker may have handed it over first. */
const unlessGone = async <Result>(work: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await work;
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
};
