import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { WorkflowFailedError } from '@temporalio/client';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import { announced, deploy, entityOf, lockOf, progressOf, runningWorld } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const codeOfFailure = async (run: ReleaseHandle): Promise<string> => {
  const failure = (await run.result().then(
    () => undefined,
    (error: unknown) => error,
  )) as WorkflowFailedError | undefined;
  return String((failure?.cause as { type?: string } | undefined)?.type);
};

describe('a release that is refused before it wrote', () => {
  test.each([
    ['plan', 'READINESS_UNPROVABLE', 'plan'],
    ['plan', 'NAMESPACE_MISSING', 'plan'],
    ['plan', 'OBJECT_HELD', 'plan'],
    ['highestFence', 'CLUSTER_MISMATCH', 'lock'],
    ['capture', 'BLOB_UNREADABLE', 'pre-image'],
  ] as const)('%s fails with %s: the run fails with the code', async (verb, code, step) => {
    const world = await runningWorld(server);
    const writes = world.cluster.writes.length;
    world.cluster.knobs.fail[verb] = { times: 1, code };
    const run = await deploy(server, world, { version: '2' });
    expect(await codeOfFailure(run)).toBe(code);
    expect(await progressOf(run)).toMatchObject({ outcome: 'refused', failedStep: step });
    expect(world.cluster.writes.length).toBe(writes);
    expect(announced(world, '2')).toContain('refused');
    expect(await lockOf(server, world)).toMatchObject({ status: 'free', queue: [] });
    await server.replay([run, entityOf(server, world)]);
  });

  test('input that does not parse fails with every field named', async () => {
    const world = server.world();
    const run = await deploy(server, world, { version: '1', input: { deadlineMs: 1 } });
    const failure: unknown = await run.result().catch((error: unknown) => error);
    expect(failure).toHaveProperty('cause.type', 'INVALID_INPUT');
    expect(failure).toHaveProperty('cause.message', expect.stringContaining('deadlineMs'));
    await server.replay([run]);
  });

  test('a plan that is out of date is made again, but not for ever', async () => {
    const world = await runningWorld(server);
    world.cluster.knobs.fail.capture = { times: 1, code: 'PLAN_STALE' };
    const run = await deploy(server, world, { version: '2' });
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    world.cluster.knobs.fail.capture = { times: 3, code: 'PLAN_STALE' };
    const hopeless = await deploy(server, world, { version: '3' });
    expect(await codeOfFailure(hopeless)).toBe('PLAN_STALE');
    await server.replay([run]);
    await server.replayAndRecord(hopeless, 'refused');
  });
});
