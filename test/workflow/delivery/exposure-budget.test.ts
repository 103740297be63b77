import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import type { ReleasePlan } from '../../../activities/kubernetes/port.ts';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { verdicts, watched, weightsIn, worldWithRoute } from './sample-candidate.ts';
import { contentOf, deploy, runningWorld, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const steps = [{ weightPercent: 20, forMs: 60_000 }];
const canary = { type: 'canary' as const, route: 'shop', steps };
const served = 'sum(served{deployment="$candidate"})';
const bake = { forMs: 1_000, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 500 };
const baked = { bake: { ...bake, minSamples: 20 } };

const servedBy = (world: World): string => {
  const names = world.cluster.objects().map(({ metadata }) => metadata.name);
  return `sum(served{deployment="${names.find((name) => /^shop-[0-9a-f]{6}$/.test(name)) ?? ''}"})`;
};

const asksAboutBudget = ({ waitingFor }: DeployServiceProgress): boolean =>
  waitingFor?.what.includes('exposure budget') === true;

/** The first stop takes longer than a test may: whoever waits for its end is too late. */
const neverEndTheFirstStop = (world: World, windowTakesMs = 600_000): void => {
  let windows = 0;
  world.hooks.beforeCall = (activity) => {
    if (activity !== 'probes.watch' || weightsIn(world)[1] !== 20) return;
    windows += 1;
    // The share is measured first, then the stop is watched.
    if (windows === 2) world.traffic.windowTakesMs = windowTakesMs;
  };
};

describe('a budget that metrics count', () => {
  test('puts the release back in the middle of a watch', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    neverEndTheFirstStop(world);
    const budget = { maxExposedRequests: 100, exposedRequests: served, unreadableForMs: 60_000 };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary, budget },
    });
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'watch at 20 %' && status === 'running'),
    );
    world.measured.set(servedBy(world), [101]);
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'watch at 20 %',
      failure: { code: 'BUDGET_EXCEEDED', message: expect.stringContaining('101 requests served') },
    });
    expect(verdicts(result)).toContain('exposure budget: fail');
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('asks an operator where nothing can be read, and nothing moves meanwhile', async () => {
    const world = await worldWithRoute(server);
    neverEndTheFirstStop(world, 3_000);
    const budget = { maxExposedRequests: 100, exposedRequests: served, unreadableForMs: 1_000 };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary, budget },
    });
    const asked = await until(run, asksAboutBudget);
    expect(asked).toMatchObject({
      status: 'waiting',
      waitingFor: {
        what: expect.stringContaining('exposure budget is inconclusive'),
        verbs: ['retryStep', 'skip', 'abort'],
      },
    });
    expect(weightsIn(world)[1]).toBe(20);
    await send(run, 'skip');
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toContain('exposure budget: skipped');
    await server.replay([run]);
  });

  test('is put back where an operator says so', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    const budget = { maxExposedRequests: 100, exposedRequests: served, unreadableForMs: 1_000 };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary, budget },
    });
    await until(run, asksAboutBudget);
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'ABORTED' },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });
});

describe('a budget that the prober counts', () => {
  test('is part of the result, with who counted', async () => {
    const world = await runningWorld(server);
    const budget = { maxExposedRequests: 500, maxBadRequests: 0, unreadableForMs: 60_000 };
    const run = await deploy(server, world, { version: '2', input: { ...baked, budget } });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(result.gates.find(({ name }) => name === 'exposure budget')).toMatchObject({
      verdict: 'pass',
      samples: 500,
      failures: 0,
      note: expect.stringContaining('counted by the prober'),
    });
    await server.replay([run]);
  });

  test('ends the window of a bake that would have passed', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.traffic.failureRatio = 0.008;
    const budget = { maxBadRequests: 2, unreadableForMs: 60_000 };
    const run = await deploy(server, world, { version: '2', input: { ...baked, budget } });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'bake',
      failure: { code: 'BUDGET_EXCEEDED' },
    });
    expect(result.gates.find(({ name }) => name === 'exposure budget')).toMatchObject({
      verdict: 'fail',
      failures: 3,
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('is not measured where nothing is sent, and that is no pass', async () => {
    const world = await runningWorld(server);
    world.traffic.notMeasured = 'no traffic here';
    const budget = { maxBadRequests: 2, unreadableForMs: 60_000 };
    const run = await deploy(server, world, { version: '2', input: { ...baked, budget } });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toContain('exposure budget: not-measured');
    await server.replay([run]);
  });

  test('is warned about in the plan where the bake alone uses it up', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    const budget = { maxExposedRequests: 200, unreadableForMs: 60_000 };
    const run = await deploy(server, world, { version: '2', input: { ...baked, budget } });
    expect(await run.result()).toMatchObject({ failure: { code: 'BUDGET_EXCEEDED' } });
    const { warnings } = await run.query<ReleasePlan>('plan');
    expect(warnings).toContainEqual(expect.stringContaining('By plan alone'));
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });
});

test.each([
  [
    'that nobody counts',
    { budget: { maxBadRequests: 1, unreadableForMs: 60_000 } },
    'nobody counts',
  ],
  [
    'with a name that nobody fills in',
    {
      ...baked,
      budget: { maxBadRequests: 1, badRequests: 'bad{pod="$pod"}', unreadableForMs: 60_000 },
    },
    '$pod',
  ],
])('a budget %s is refused before anything is planned', async (_case, input, reason) => {
  const world = await runningWorld(server);
  const writes = world.cluster.writes.length;
  const run = await deploy(server, world, { version: '2', input });
  const failure = await run.result().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WorkflowFailedError);
  expect((failure as WorkflowFailedError).cause).toMatchObject({
    type: 'INVALID_INPUT',
    message: expect.stringContaining(reason),
  });
  expect(world.cluster.writes.length).toBe(writes);
});
