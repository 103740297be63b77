import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const folder = path.join(import.meta.dirname, 'histories');

/** Set it to record; otherwise tests would change the working tree. */
const recordFlag = 'HOLDFAST_RECORD_HISTORIES';

/** Where and who recorded it does not matter to a replay and does not belong into the repository. */
const machineFields = new Set(['identity', 'stackTrace', 'binaryChecksum', 'workerVersion']);

const withoutMachine = (json: string): unknown =>
  JSON.parse(json, (key, inner: unknown) => (machineFields.has(key) ? undefined : inner));

/**
 * Keeps the history of a run as `<workflow type>.<name>.json`, if recording is asked for. One that
 * is there stays: it shows that runs from then replay. Delete it where that is no longer promised.
 */
export const recordHistory = async (handle: WorkflowHandle, name: string): Promise<void> => {
  if (process.env[recordFlag] === undefined) return;
  const { type } = await handle.describe();
  const json = withoutMachine(historyToJSON(await handle.fetchHistory()));
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `${type}.${name}.json`);
  if (existsSync(file)) return;
  await writeFile(file, `${JSON.stringify(json)}\n`);
};

export interface RecordedHistory {
  /** `<workflow type>.<name>` */
  name: string;
  events: { eventType: string; [attributes: string]: unknown }[];
}

export const recordedHistories = async (): Promise<RecordedHistory[]> => {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.json')).sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join(folder, file), 'utf8');
      const { events } = JSON.parse(text) as Pick<RecordedHistory, 'events'>;
      return { name: path.basename(file, '.json'), events };
    }),
  );
};
