import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { verdicts, watched, weightsIn, worldWithRoute } from './sample-candidate.ts';
import type { ReleaseHandle } from './sample-release.ts';
import { contentOf, deploy, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const steps = [{ weightPercent: 20, forMs: 1_000 }];
const canary = { type: 'canary' as const, route: 'shop', steps };

/** Holds the release at 35 % before its first stop is over. */
const holdAt35 = async (world: World, atWindow: (window: number) => void) => {
  let atStop = 0;
  let held = 0;
  world.hooks.beforeCall = (activity) => {
    if (activity !== 'probes.watch') return;
    world.traffic.windowTakesMs = 20;
    const weight = weightsIn(world)[1];
    // The share is measured first, then the stop is watched.
    if (weight === 20) world.traffic.windowTakesMs = (atStop += 1) === 2 ? 20_000 : 20;
    if (weight === 35) atWindow((held += 1));
  };
  const run: ReleaseHandle = await deploy(server, world, {
    version: '2',
    input: { ...watched, strategy: canary },
  });
  await until(run, ({ stages }) =>
    stages.some(({ name, status }) => name === 'watch at 20 %' && status === 'running'),
  );
  await send(run, 'setWeight', { weightPercent: 35 });
  return run;
};

describe('a weight that an operator holds', () => {
  test('is judged: a version that turns bad there is put back', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    const run = await holdAt35(world, (window) => {
      if (window === 3) world.traffic.failureRatio = 0.5;
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'held by an operator',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(verdicts(result)).toContain('held at 35 %: fail');
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'held-and-judged');
  });

  test('goes on after promote, with what was seen in the result', async () => {
    const world = await worldWithRoute(server);
    const run = await holdAt35(world, () => undefined);
    await until(run, ({ gates }) => gates.some(({ name }) => name === 'held at 35 %'));
    await send(run, 'promote');
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toContain('held at 35 %: pass');
    await server.replay([run]);
  });

  test('without traffic for the new version is not judged, there is nothing to see', async () => {
    const world = await worldWithRoute(server);
    const run = await holdAt35(world, () => undefined);
    await send(run, 'setWeight', { weightPercent: 0 });
    await until(run, ({ rollout }) => rollout?.weightPercent === 0);
    await send(run, 'promote');
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).not.toContainEqual(expect.stringContaining('held at 0 %'));
    await server.replay([run]);
  });
});
