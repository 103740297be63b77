import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { checkSandboxState } from '../../../sandbox/doctor/sandbox-state.ts';
import { statePaths } from '../../../sandbox/state/directory.ts';
import { createProcessRecords } from '../../../sandbox/state/process-record.ts';

let directory: string;

async function finding(id: string) {
  const checks = await checkSandboxState(directory, { repair: false });
  const found = checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`doctor looks at no ${id}`);
  return found;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-doctor-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('where nothing was started, all is well', async () => {
  for (const check of await checkSandboxState(directory, { repair: false })) {
    expect(check).toMatchObject({ verdict: 'ok' });
  }
});

test('dead processes are named, with what to run', async () => {
  await createProcessRecords(statePaths(directory).processes).write({
    name: 'etcd',
    command: '/bin/sleep',
    args: ['600'],
    logPath: join(directory, 'logs', 'etcd.log'),
    identity: { pid: process.pid, startedAt: 'in an earlier life' },
  });
  const check = await finding('sandbox');
  expect(check).toMatchObject({ verdict: 'warning', evidence: 'dead: etcd' });
  expect(check.fix).toContain('holdfast sandbox up');
});

test('a start that did not come to its end is told', async () => {
  await writeFile(statePaths(directory).plan, '{"level":1}');
  expect(await finding('sandbox')).toMatchObject({
    verdict: 'warning',
    evidence: 'its start did not come to an end',
  });
});

test('the lock of a dead process is told with what it was doing', async () => {
  const holder = { pid: process.pid, startedAt: 'in an earlier life', purpose: 'starting' };
  await writeFile(statePaths(directory).lock, JSON.stringify(holder));
  const check = await finding('lock');
  expect(check.verdict).toBe('warning');
  expect(check.evidence).toContain('which was starting');
});
