import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { contentOf, deploy, runningWorld, send, until } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping' });
}, 60_000);
afterAll(() => server.stop());

const query = 'errors{deployment="$candidate"}';
const asked = 'errors{deployment="shop"}';
const errors = { name: 'errors', query, successCondition: 'result < 1.0', intervalMs: 10_000 };
const bake = { forMs: 120_000, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 100 };

/** Version 2 with these metrics; requests cannot be sent, so that the metrics take their time. */
const release = async (world: World, metrics: object[], more = {}): Promise<ReleaseHandle> => {
  world.traffic.notMeasured = 'no traffic here';
  const analysis = { metrics, decideWithinMs: 3_600_000, ...more } as never;
  return deploy(server, world, {
    version: '2',
    input: { bake: { ...bake, minSamples: 20 }, analysis, deadlineMs: 3_600_000 },
  });
};

const gatesOf = (gates: { name: string; verdict: string }[]): string[] =>
  gates.map(({ name, verdict }) => `${name}: ${verdict}`);

describe('metrics beside a watch', () => {
  test('that succeed let the release go on, each with a line of its own', async () => {
    const world = await runningWorld(server);
    world.measured.set(asked, [0]);
    const run = await release(world, [errors]);
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(gatesOf(result.gates)).toEqual(['bake: errors: pass', 'bake: pass']);
    expect(result.gates[0]?.samples).toBeGreaterThan(5);
    await server.replay([run]);
  }, 60_000);

  test('that fail end the watch at once, and everything is put back', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.measured.set(asked, [7]);
    const run = await release(world, [errors]);
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'bake',
      failure: { code: 'ANALYSIS_FAILED' },
    });
    expect(result.gates.find(({ name }) => name === 'bake: errors')?.samples).toBe(1);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 60_000);

  test('a dry run is reported and decides nothing', async () => {
    const world = await runningWorld(server);
    world.measured.set(asked, [7]);
    world.measured.set('good', [0]);
    const run = await release(world, [
      { ...errors, dryRun: true },
      { ...errors, name: 'good', query: 'good' },
    ]);
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(gatesOf(result.gates)).toContain('bake: errors: fail');
    await server.replay([run]);
  }, 60_000);
});

describe('an inconclusive analysis', () => {
  test('pauses and asks; an operator takes it as good', async () => {
    const world = await runningWorld(server);
    const run = await release(world, [{ ...errors, consecutiveErrorLimit: 100 }]);
    // Only as far as the watch: waiting for the result would skip the time for a decision too.
    await server.env.sleep(bake.forMs + 60_000);
    const waiting = await until(run, ({ status }) => status === 'waiting');
    expect(waiting.waitingFor).toMatchObject({ verbs: ['retryStep', 'skip', 'abort'] });
    await send(run, 'skip');
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(gatesOf(result.gates)).toContain('bake: skipped');
    await server.replay([run]);
  }, 60_000);

  test('that nobody decides is put back: no data is never a pass', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    const run = await release(world, [errors], { decideWithinMs: 60_000 });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'ANALYSIS_FAILED', message: expect.stringContaining('nobody decided') },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 60_000);
});

describe('metrics that cannot be measured are refused before anything starts', () => {
  test.each([
    ['a condition that does not compile', { ...errors, successCondition: 'result <' }],
    ['a condition over something unknown', { ...errors, successCondition: 'latency < 1.0' }],
    ['a name that nobody fills in', { ...errors, query: 'errors{pod="$pod"}' }],
  ])(
    '%s',
    async (_title, metric) => {
      const world = await runningWorld(server);
      const writes = world.cluster.writes.length;
      const run = await release(world, [metric]);
      const failure = await run.result().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(WorkflowFailedError);
      expect((failure as WorkflowFailedError).cause).toMatchObject({
        type: 'INVALID_INPUT',
        message: expect.stringContaining('analysis.metrics[0]'),
      });
      expect(world.cluster.writes.length).toBe(writes);
    },
    60_000,
  );
});
