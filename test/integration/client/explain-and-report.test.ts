import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import type { DeployServiceHandle, OpsClient } from '../../../client/index.ts';
import type { World } from '../../workflow/delivery/release-server.ts';
import { minuteMs, watched, worldWithRoute } from '../../workflow/delivery/sample-candidate.ts';
import { manifestsOf } from '../../workflow/delivery/sample-release.ts';
import { requestOf, startFacadeServer, type FacadeServer } from './facade-server.ts';
import { openTerminal, type Ended, type UserTerminal } from './user-terminal.ts';

let server: FacadeServer;
let directory: string;
let terminal: UserTerminal;
let world: World;
let ops: OpsClient;
/** What is said of a run that no worker takes: asked early, because it waits for answers. */
let silent: Promise<Record<string, unknown>[]>;

beforeAll(async () => {
  server = await startFacadeServer();
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-explain-'));
  terminal = openTerminal(
    {
      directory,
      temporalAddress: server.env.address,
      temporalNamespace: 'default',
      blobsDirectory: directory,
      workflowBundlePath: '',
    },
    server.prefix,
  );
  world = await worldWithRoute(server);
  ops = await server.clientOf(world);
  silent = askSilentRun();
  silent.catch(() => undefined);
}, 60_000);

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true });
});

const holdfast = async (...words: readonly string[]): Promise<Ended> =>
  terminal.holdfast([...words, '-e', world.environment]);

const explained = async (release: string): Promise<Record<string, unknown>> => {
  const { stdout } = await holdfast('deploy', 'explain', 'shop', '--release', release, '--json');
  return JSON.parse(stdout) as Record<string, unknown>;
};

const askSilentRun = async (): Promise<Record<string, unknown>[]> => {
  const idle = await server.clientOf(world, `idle-${randomUUID()}`);
  const run = await idle.delivery.deployService.start(requestOf(world, { release: 'idle' }));
  const waiting = await explained('idle');
  await server.env.client.workflow.getHandle(run.workflowId).terminate('by mistake');
  return [waiting, await explained('idle')];
};

/** Looks at the run until it is as expected; the test's own timeout ends it. */
const until = async (
  run: DeployServiceHandle,
  expected: (progress: DeployServiceProgress) => boolean,
): Promise<void> => {
  for await (const { progress } of run.watch({ intervalMs: 20 })) {
    if (progress !== null && expected(progress)) return;
  }
  throw new Error(`${run.workflowId} ended before it was as expected`);
};

const isAt = (stage: string) => (progress: DeployServiceProgress) =>
  progress.stages.some(({ name, status }) => name === stage && status === 'running');

const canary = {
  type: 'canary' as const,
  route: 'shop',
  steps: [
    { weightPercent: 10, forMs: 10 * minuteMs },
    { weightPercent: 50, forMs: 1_000 },
  ],
};

/** The window in which the first stop is watched goes on until it is left. */
const watchFirstStopForLong = (): void => {
  let windows = 0;
  world.hooks.beforeCall = (activity) => {
    if (activity !== 'probes.watch') return;
    windows += 1;
    const measuresShare = windows === 1;
    world.traffic.windowTakesMs = measuresShare || windows > 2 ? 20 : 60_000;
  };
};

const reason = ['--reason', 'a <script>alert(1)</script> in it'];

describe('a release that someone asks about', () => {
  test('is explained at every point, told from others, and reported when it has ended', async () => {
    watchFirstStopForLong();
    const run = await ops.delivery.deployService.start({
      ...requestOf(world, { manifests: manifestsOf('2'), release: '2' }),
      ...{ ...watched, strategy: canary },
    });
    await until(run, isAt('watch at 10 %'));
    const next = await ops.delivery.deployService.start(
      requestOf(world, { manifests: manifestsOf('3'), release: '3' }),
    );
    await until(next, ({ waitingFor }) => waitingFor !== undefined);

    const [watching, queued, early] = await Promise.all([
      holdfast('deploy', 'explain', 'shop'),
      explained('3'),
      holdfast('deploy', 'report', 'shop'),
    ]);
    expect(watching).toMatchObject({ exitCode: 0, stderr: '' });
    expect(watching.stdout).toContain('watches the new version at 10 %.');
    expect(watching.stdout).toMatch(/at most 1\.00 % of its\s+requests may fail/);
    expect(queued).toMatchObject({
      situation: 'queued',
      why: ['Release 2 has the lock; it is at `watch at 10 %`.'],
    });
    expect(early).toMatchObject({ exitCode: 4, stdout: '' });
    expect(early.stderr).toContain('it watches the new version at 10 %. Nothing was written.');

    const set = await holdfast('set-weight', 'shop', '--weight', '30', ...reason);
    expect(set).toMatchObject({ exitCode: 0 });
    await until(run, isAt('held by an operator'));
    // The command that is offered is about the one that waits, not about the one that has the lock.
    const offered = queued['commands'] as { command: string }[];
    const abort = offered.find(({ command }) => command.includes('--release 3'))?.command ?? '';
    const [, ...words] = abort.replace(' --reason "…"', '').split(' ');
    expect(await terminal.holdfast([...words, ...reason])).toMatchObject({ exitCode: 0 });
    await expect(next.result()).rejects.toMatchObject({ code: 'ABORTED' });

    const [held, tree] = await Promise.all([explained('2'), holdfast('get', 'deploy', 'shop')]);
    expect(held).toMatchObject({
      situation: 'held',
      headline: 'is held at 30 % by ana@example.com',
    });
    expect(tree.stdout).toContain('canary  ██████░░░░░░░░░░░░░░ 30 %, 30 % measured');
    expect(tree.stdout).toContain(`--release 2 --weight N --reason "…"`);

    expect(await holdfast('promote', 'shop', ...reason)).toMatchObject({ exitCode: 0 });
    expect((await run.result()).outcome).toBe('deployed');
    const [deployed, written] = await Promise.all([
      explained('2'),
      holdfast('deploy', 'report', 'shop', '--release', '2', '-o', 'report.html'),
    ]);
    expect(deployed).toMatchObject({ situation: 'finished', headline: 'is deployed and proven' });
    expect(written).toMatchObject({ exitCode: 0, stdout: 'report.html\n' });
    const page = await readFile(path.join(directory, 'report.html'), 'utf8');
    expect(page).toContain('deployed and proven');
    expect(page).toContain('<figure>');
    expect(page).toContain('a &lt;script&gt;alert(1)&lt;/script&gt; in it');
    expect(page).not.toContain('<script');
  }, 60_000);

  test('is explained without a worker from what the server knows', async () => {
    const [waiting, terminated] = await silent;
    expect(waiting).toMatchObject({
      situation: 'silent',
      done: ['ana@example.com asked for it: “Release of shop”.'],
    });
    expect(terminated).toMatchObject({ situation: 'ended-from-outside' });
  }, 60_000);
});

test('a release that never was is not explained, and a place that cannot be written is named', async () => {
  const report = ['deploy', 'report', 'shop', '--release', '1', '-o', 'gone/x.html'];
  const [gone, nowhere] = await Promise.all([
    holdfast('deploy', 'explain', 'shop', '--release', 'never'),
    holdfast(...report),
  ]);
  expect(gone).toMatchObject({ exitCode: 3, stdout: '' });
  expect(gone.stderr).toContain('RUN_NOT_FOUND');
  expect(nowhere).toMatchObject({ exitCode: 2, stdout: '' });
  expect(nowhere.stderr).toContain('--output: gone/x.html cannot be written');
}, 60_000);
