import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { verdicts, watched, worldWithRoute } from './sample-candidate.ts';
import { contentOf, deploy, runningWorld, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const job = {
  apiVersion: 'batch/v1' as const,
  kind: 'Job' as const,
  metadata: { name: 'count-rows' },
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'c' }] } } },
};
const path = { path: '/healthz', expectStatus: 200 };
const rows = { job, deadlineMs: 60_000 };
const command = { exec: ['check', '--deep'], timeoutMs: 1_000 };
const other = { url: 'https://bank.example/ping', expectStatus: 200 };

const jobsIn = ({ cluster }: World): string[] =>
  cluster.objects().flatMap(({ kind, metadata }) => (kind === 'Job' ? [metadata.name] : []));

describe('checks beside requests', () => {
  test('each has a line of its own, its Jobs are gone afterwards, and what it said is kept', async () => {
    const world = await runningWorld(server);
    world.cluster.checked.exitCode = 0;
    const input = { smoke: [path, command, rows], verification: [rows, other] };
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toEqual([
      'smoke: exec check --deep: pass',
      'smoke: job count-rows: pass',
      'smoke: pass',
      'verification: job count-rows: pass',
      'verification: https://bank.example/ping: pass',
      'verification: pass',
    ]);
    expect(world.cluster.checked.jobs).toHaveLength(2);
    expect(new Set(world.cluster.checked.jobs).size).toBe(2);
    expect(jobsIn(world)).toEqual([]);
    expect(result.evidence.checks).toContainEqual({
      gate: 'smoke',
      check: 'job count-rows',
      answer: 'complete',
      outputDigest: expect.stringMatching(/^sha256:/),
    });
    await server.replayAndRecord(run, 'checks');
  });

  test('commands that cannot be run here are not measured, which is no pass', async () => {
    const world = await runningWorld(server);
    const run = await deploy(server, world, { version: '2', input: { smoke: [command, rows] } });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toEqual([
      'smoke: exec check --deep: not-measured',
      'smoke: job count-rows: pass',
      'smoke: not-measured',
    ]);
    await server.replay([run]);
  });

  test('a command that fails puts the release back before its Jobs begin', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.checked.exitCode = 3;
    const run = await deploy(server, world, { version: '2', input: { smoke: [command, rows] } });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'smoke',
      failure: { code: 'SMOKE_FAILED', message: expect.stringContaining('exit code 3: not fine') },
    });
    expect(world.cluster.checked.jobs).toEqual([]);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('a Job that neither completes nor fails in time is no data, and no data is no pass', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.checked.jobsEnd = undefined;
    const smoke = [{ ...rows, deadlineMs: 1_000 }];
    const run = await deploy(server, world, { version: '2', input: { smoke } });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'NO_DATA' },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('abort takes the Job away that runs', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.checked.jobsEnd = undefined;
    const run = await deploy(server, world, { version: '2', input: { smoke: [rows] } });
    await until(run, () => jobsIn(world).length === 1);
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'check-aborted');
  });

  test('a Job that could not be deleted is swept before everything is proven to be as before', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.checked.jobsEnd = 'failed';
    world.cluster.checked.keepsJobs = true;
    const run = await deploy(server, world, { version: '2', input: { smoke: [rows] } });
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly', failedStep: 'smoke' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('run against the new version before it has traffic, and again when it has all', async () => {
    const world = await worldWithRoute(server);
    world.cluster.checked.exitCode = 0;
    const strategy = { type: 'canary' as const, route: 'shop', steps: [] };
    const input = { ...watched, smoke: [command], strategy: { ...strategy, steps: [oneStop] } };
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toEqual(
      expect.arrayContaining([
        'preview: exec check --deep: pass',
        'smoke: exec check --deep: pass',
      ]),
    );
    await server.replay([run]);
  });
});

const oneStop = { weightPercent: 20, forMs: 1_000 };

describe('the verification suite', () => {
  test('runs after the bake; what fails there puts the release back', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.checked.jobsEnd = 'failed';
    const bake = { ...watched.bake, forMs: 1_000 };
    const run = await deploy(server, world, {
      version: '2',
      input: { bake, verification: [rows] },
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'verification',
      failure: { code: 'VERIFICATION_FAILED' },
    });
    expect(verdicts(result)).toEqual([
      'bake: pass',
      'verification: job count-rows: fail',
      'verification: fail',
    ]);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('fails where another system does not answer as asked', async () => {
    const world = await runningWorld(server);
    world.traffic.urlsPass = false;
    const run = await deploy(server, world, { version: '2', input: { verification: [other] } });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'VERIFICATION_FAILED', message: expect.stringContaining('500') },
    });
    await server.replay([run]);
  });
});

test('a Job that the cluster would refuse is refused before anything is planned', async () => {
  const world = await runningWorld(server);
  const writes = world.cluster.writes.length;
  const broken = { ...job, spec: { template: { spec: {} } } };
  const verification = [{ job: broken, deadlineMs: 60_000 }];
  const run = await deploy(server, world, { version: '2', input: { verification } });
  const failure = await run.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect((failure as WorkflowFailedError).cause).toMatchObject({
    type: 'INVALID_INPUT',
    message: expect.stringContaining('verification[0].job'),
  });
  expect(world.cluster.writes.length).toBe(writes);
});
