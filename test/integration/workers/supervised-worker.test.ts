import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { superviseWorker, type SupervisedWorker } from '../../../client/cli/supervised-worker.ts';

let stateDirectory: string;
let environmentsFile: string;
const before = process.env['TEMPORAL_ADDRESS'];

beforeAll(async () => {
  process.env['TEMPORAL_ADDRESS'] = process.env['HOLDFAST_TEST_TEMPORAL'];
  stateDirectory = await mkdtemp(path.join(tmpdir(), 'holdfast-supervised-'));
  environmentsFile = path.join(stateDirectory, 'environments.yaml');
});

afterAll(async () => {
  if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
  else process.env['TEMPORAL_ADDRESS'] = before;
  await rm(stateDirectory, { recursive: true });
});

/** Workers with good settings, and how they ended so far. */
const supervise = async (): Promise<{ worker: SupervisedWorker; crashes: string[] }> => {
  const staging = { context: 'none', namespace: 'shop', traffic: 'none' };
  await writeFile(environmentsFile, stringify({ environments: { staging } }));
  const crashes: string[] = [];
  const settings = { environmentsFile, pools: 'kubernetes', queuePrefix: 'supervised-test' };
  const onCrash = (how: string): unknown => crashes.push(how);
  const worker = await superviseWorker({ settings, stateDirectory, onCrash });
  return { worker, crashes };
};

const workersOfThisProcess = async (): Promise<number[]> => {
  const { pid } = process;
  const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
  const pids = children.split(' ').filter((text) => text !== '');
  const found = await Promise.all(
    pids.map(async (child) => {
      const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      return command.includes('workers/main') ? [Number(child)] : [];
    }),
  );
  return found.flat();
};

const killWorkers = async (): Promise<void> => {
  for (const pid of await workersOfThisProcess()) process.kill(pid, 'SIGKILL');
};

afterEach(killWorkers);

test('workers that end before they poll are tried again, and then left alone', async () => {
  const { worker, crashes } = await supervise();
  await writeFile(environmentsFile, 'environments: 7');
  await killWorkers();
  await worker.gaveUp;
  expect(crashes).toEqual(['signal SIGKILL', ...Array.from({ length: 5 }, () => 'exit code 78')]);
  expect(await workersOfThisProcess()).toEqual([]);
});

test('workers that are just started again are ended too', async () => {
  const { worker, crashes } = await supervise();
  await killWorkers();
  while (crashes.length === 0) await new Promise(setImmediate);
  await worker.stop();
  expect(crashes).toEqual(['signal SIGKILL']);
  expect(await workersOfThisProcess()).toEqual([]);
});
