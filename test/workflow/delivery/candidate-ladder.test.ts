import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import {
  minuteMs,
  verdicts,
  watched,
  weightsIn,
  worldWithRoute,
  writesOf,
} from './sample-candidate.ts';
import { contentOf, deploy, progressOf, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping' });
}, 60_000);
afterAll(() => server.stop());

/** The ladder of the requirement, then the old version is kept for an hour. */
const ladder = {
  type: 'blue-green' as const,
  route: 'shop',
  steps: [
    { weightPercent: 10, forMs: 10 * minuteMs },
    { weightPercent: 50, forMs: 10 * minuteMs },
  ],
  retainMs: 60 * minuteMs,
};
describe('the ladder 10 % for 10 minutes, 50 % for 10 minutes, all, and an hour to go back', () => {
  test('with the real times: every stop is gated and the end is as the manifests say', async () => {
    const world = await worldWithRoute(server);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: ladder },
    });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toEqual([
      'preview: pass',
      'watch at 10 %: pass',
      'watch at 50 %: pass',
      'smoke: pass',
      'bake: pass',
    ]);
    const weights = writesOf(world).filter((write) => write.startsWith('weigh'));
    expect(weights).toEqual([10, 50, 100, 0].map((weight) => `weigh HTTPRoute/shop ${weight}`));
    expect(weightsIn(world)).toEqual([1]);
    const { stages } = await progressOf(run);
    const retained = stages.find(({ name }) => name === 'retain');
    expect((retained?.endedAtMs ?? 0) - (retained?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(
      60 * minuteMs,
    );
    const history = await run.fetchHistory();
    expect(history.events?.length).toBeLessThan(600);
    await server.replay([run]);
  }, 120_000);

  test('A2: errors over the threshold at 10 % give everything back and nobody gets more', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity === 'probes.watch' && weightsIn(world)[1] === 10)
        world.traffic.failureRatio = 0.4;
    };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: ladder },
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'watch at 10 %',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(result.compensations[0]).toMatchObject({ step: 'shift shop', outcome: 'undone' });
    const weights = writesOf(world).filter((write) => write.startsWith('weigh'));
    expect(weights).toEqual(['weigh HTTPRoute/shop 10', 'weigh HTTPRoute/shop 0']);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 120_000);

  test('abort in the hour after the switch gives everything back to the old version', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    const strategy = { ...ladder, steps: [] };
    const run = await deploy(server, world, { version: '2', input: { ...watched, strategy } });
    await until(run, ({ waitingFor }) => waitingFor?.verbs.includes('promote') === true);
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 120_000);
});
