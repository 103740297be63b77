/** What is written about a process before it is started, so that it can always be stopped. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { readFileIfPresent, writeFileAtomically } from './atomic-file.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { systemErrorCode } from '../sandbox-error.ts';

export interface ProcessSpecification {
  /** Unique within the sandbox; also the name of its log. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of whom the process is, where it refuses to be root. */
  readonly account?: Account;
  /** SIGKILL for processes that keep nothing worth a clean end; SIGTERM unless given. */
  readonly stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL';
  /** How long a clean end may take before SIGKILL follows. */
  readonly stopWithinMs?: number;
}

export interface ProcessRecord extends ProcessSpecification {
  readonly logPath: string;
  /** Absent between the intention to start and the answer of the system. */
  readonly identity?: ProcessIdentity;
}

export interface ProcessRecords {
  read(name: string): Promise<ProcessRecord | undefined>;
  list(): Promise<readonly ProcessRecord[]>;
  write(record: ProcessRecord): Promise<void>;
  remove(name: string): Promise<void>;
}

export function createProcessRecords(directory: string): ProcessRecords {
  const pathOf = (name: string): string => join(directory, `${name}.json`);

  async function read(name: string): Promise<ProcessRecord | undefined> {
    const text = await readFileIfPresent(pathOf(name));
    return text === undefined ? undefined : (JSON.parse(text) as ProcessRecord);
  }

  async function list(): Promise<readonly ProcessRecord[]> {
    const names = (await listDirectory(directory))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
    const records = await Promise.all(names.map(read));
    return records.filter((record) => record !== undefined);
  }

  return {
    read,
    list,
    write: async (record) =>
      writeFileAtomically(pathOf(record.name), JSON.stringify(record, null, 2)),
    remove: async (name) => rm(pathOf(name), { force: true }),
  };
}

async function listDirectory(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
