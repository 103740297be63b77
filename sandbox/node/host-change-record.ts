/** The changes made to the machine, kept until they are taken back. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export type RecordedChange =
  | { readonly kind: 'packages'; readonly names: readonly string[] }
  | {
      readonly kind: 'setting';
      readonly name: string;
      readonly before: string;
      readonly after: string;
    }
  | { readonly kind: 'address'; readonly address: string; readonly device: string }
  | { readonly kind: 'directory'; readonly path: string };

interface ChangeRecord {
  /** Settings and addresses do not outlive the boot in which they were changed. */
  readonly bootId: string;
  readonly changes: readonly RecordedChange[];
}

export function readRecordedChanges(stateDirectory: string): readonly RecordedChange[] {
  let text: string;
  try {
    text = readFileSync(recordFile(stateDirectory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return [];
    }
    throw error;
  }
  const record = JSON.parse(text) as ChangeRecord;
  return record.bootId === bootId()
    ? record.changes
    : record.changes.filter(({ kind }) => kind === 'packages' || kind === 'directory');
}

/** Adds a change; of one that is recorded already, the value before the first time counts. */
export function recordChange(stateDirectory: string, change: RecordedChange): void {
  const recorded = readRecordedChanges(stateDirectory);
  if (!recorded.some((earlier) => isSame(earlier, change))) {
    writeRecordedChanges(stateDirectory, [...recorded, change]);
  }
}

/** On disk before it returns; no file where no change is left. */
export function writeRecordedChanges(
  stateDirectory: string,
  changes: readonly RecordedChange[],
): void {
  const path = recordFile(stateDirectory);
  if (changes.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(stateDirectory, { recursive: true });
  const record: ChangeRecord = { bootId: bootId(), changes };
  const file = openSync(`${path}.new`, 'w');
  try {
    writeSync(file, JSON.stringify(record, undefined, 2));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}

function recordFile(stateDirectory: string): string {
  return join(stateDirectory, 'host-changes.json');
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function isSame(a: RecordedChange, b: RecordedChange): boolean {
  switch (a.kind) {
    case 'packages':
      return false;
    case 'setting':
      return b.kind === 'setting' && a.name === b.name;
    case 'address':
      return b.kind === 'address' && a.address === b.address;
    case 'directory':
      return b.kind === 'directory' && a.path === b.path;
  }
}
