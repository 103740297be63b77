import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  minuteMs,
  verdicts,
  watched,
  weightsIn,
  worldWithRoute,
  writesOf,
} from './sample-candidate.ts';
import { announced, contentOf, deploy, progressOf, send, until } from './sample-release.ts';

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

const weighed = (world: World): string[] =>
  writesOf(world).filter((write) => write.startsWith('weigh'));

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };

/** What happens under way: windows watched at each weight, and whether blue was still as it was. */
const followed = (world: World) => {
  const seen = { windowsAt: new Map<number, number>(), blueAtUpdate: '' };
  world.hooks.beforeCall = (activity) => {
    const weight = weightsIn(world)[1] ?? 0;
    if (activity === 'probes.watch') {
      seen.windowsAt.set(weight, (seen.windowsAt.get(weight) ?? 0) + 1);
    }
    if (activity === 'releases.write' && weight === 100 && seen.blueAtUpdate === '') {
      seen.blueAtUpdate = JSON.stringify(world.cluster.get(deployment));
    }
  };
  return seen;
};

const incidentsOf = (world: World) =>
  world.notifications.flatMap(({ incident }) => (incident === undefined ? [] : [incident]));

describe('the ladder 10 % for 10 minutes, 50 % for 10 minutes, all, and an hour to go back', () => {
  test('UC3 steps 5–8 and 10 with the real times: every stop is gated and the end is as the manifests say', async () => {
    const world = await worldWithRoute(server);
    const seen = followed(world);
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
    expect(weighed(world)).toEqual(
      [10, 50, 100, 0].map((weight) => `weigh HTTPRoute/shop ${weight}`),
    );
    expect(weightsIn(world)).toEqual([1]);
    // The share is measured once, then each stop is watched for ten windows of a minute.
    expect([seen.windowsAt.get(10), seen.windowsAt.get(50)]).toEqual([11, 11]);
    expect(seen.blueAtUpdate).toContain('"image":"shop:1"');
    expect(announced(world, '2')).toEqual(
      expect.arrayContaining(['started', 'retaining', 'deployed']),
    );
    expect(incidentsOf(world)).toEqual([]);
    const { stages } = await progressOf(run);
    const retained = stages.find(({ name }) => name === 'retain');
    expect((retained?.endedAtMs ?? 0) - (retained?.startedAtMs ?? 0)).toBeGreaterThanOrEqual(
      60 * minuteMs,
    );
    const history = await run.fetchHistory();
    expect(history.events?.length).toBeLessThan(600);
    await server.replay([run]);
  }, 120_000);

  test.each([
    ['never becomes ready', 'ROLLOUT_FAILED'],
    ['fails its smoke check', 'SMOKE_FAILED'],
  ] as const)(
    'UC3 A1: a new version that %s gets no traffic, and an incident is opened',
    async (_how, code) => {
      const world = await worldWithRoute(server);
      const before = contentOf(world);
      if (code === 'ROLLOUT_FAILED') world.cluster.knobs.failRolloutOfImage = { ':2': code };
      else world.traffic.smokePasses = false;
      const run = await deploy(server, world, {
        version: '2',
        input: { ...watched, strategy: ladder },
      });
      const result = await run.result();
      expect(result).toMatchObject({ outcome: 'restored-exactly', failure: { code } });
      expect(weighed(world)).toEqual([]);
      expect(contentOf(world)).toEqual(before);
      expect(incidentsOf(world)).toMatchObject([
        { code, failedStep: result.failedStep, outcome: 'restored-exactly' },
      ]);
      expect(announced(world, '2')).toContain('restored');
      await server.replay([run]);
    },
    120_000,
  );

  test('UC3 A2: errors under all the traffic give everything back, and an incident is opened', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity === 'probes.watch' && weightsIn(world)[1] === 100) {
        world.traffic.failureRatio = 0.4;
      }
    };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: ladder },
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'bake',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(weighed(world)).toEqual(
      [10, 50, 100, 0].map((weight) => `weigh HTTPRoute/shop ${weight}`),
    );
    expect(contentOf(world)).toEqual(before);
    expect(incidentsOf(world)).toMatchObject([{ code: 'BAKE_FAILED', failedStep: 'bake' }]);
    await server.replay([run]);
  }, 120_000);

  test('UC3 A2: errors over the threshold at 10 % give everything back and nobody gets more', async () => {
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
    expect(weighed(world)).toEqual(['weigh HTTPRoute/shop 10', 'weigh HTTPRoute/shop 0']);
    expect(contentOf(world)).toEqual(before);
    expect(incidentsOf(world)).toMatchObject([{ code: 'BAKE_FAILED' }]);
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
