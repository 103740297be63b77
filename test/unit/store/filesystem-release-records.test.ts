import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createFilesystemReleaseRecords } from '../../../activities/store/index.ts';
import { describeReleaseRecords, endedRelease } from '../../conformance/release-records.ts';

const directories: string[] = [];

const freshDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-records-'));
  directories.push(directory);
  return path.join(directory, 'releases');
};

afterAll(async () => {
  await Promise.all(directories.map(async (directory) => rm(directory, { recursive: true })));
});

describeReleaseRecords('files', async () =>
  createFilesystemReleaseRecords({ directory: await freshDirectory() }),
);

test('a record that was set aside is no longer among them, and may be set aside again', async () => {
  const records = createFilesystemReleaseRecords({ directory: await freshDirectory() });
  await records.add(endedRelease(1));
  await records.add(endedRelease(2));
  await records.setAside(endedRelease(1).runId);
  await records.setAside(endedRelease(1).runId);
  expect(await records.all()).toEqual([endedRelease(2)]);
});
