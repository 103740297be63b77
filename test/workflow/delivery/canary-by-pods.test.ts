import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { numberAt } from '../../../domain/delivery/canonical-json.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { minuteMs, verdicts, watched, writesOf } from './sample-candidate.ts';
import { contentOf, deploy, progressOf, runningWorld, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

const byPods = {
  type: 'canary' as const,
  steps: [
    { weightPercent: 10, forMs: minuteMs },
    { weightPercent: 50, forMs: minuteMs },
  ],
};
const input = { ...watched, strategy: byPods };

/** Pods by the version that they run. */
const podsIn = ({ cluster }: World): Record<'1' | '2', number> => {
  const workloads = cluster.objects().filter(({ kind }) => kind === 'Deployment');
  const of = (version: string): number =>
    workloads
      .filter((workload) => JSON.stringify(workload).includes(`shop:${version}`))
      .reduce((sum, workload) => sum + (numberAt(workload, 'spec', 'replicas') ?? 0), 0);
  return { '1': of('1'), '2': of('2') };
};

/** The answers follow the pods, as behind a Service. */
const worldByPods = async (): Promise<World> => {
  const world = await runningWorld(server);
  world.traffic.smokeVersion = '2';
  world.traffic.versions = () => {
    const { '1': old, '2': fresh } = podsIn(world);
    const share = fresh / (old + fresh);
    return [
      { version: '1', share: 1 - share, failureRatio: 0 },
      { version: '2', share, failureRatio: world.traffic.failureRatio ?? 0 },
    ];
  };
  return world;
};

const scalesOf = (world: World): string[] =>
  writesOf(world).filter((write) => write.startsWith('scale'));

describe('a canary without a route', () => {
  test('gives the pods step by step, capacity first, and ends as the manifests say', async () => {
    const world = await worldByPods();
    const seen: number[] = [];
    world.cluster.knobs.afterWrite = () => {
      const { '1': old, '2': fresh } = podsIn(world);
      seen.push(old + fresh);
    };
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'deployed', compensations: [] });
    expect(verdicts(result)).toEqual([
      'preview: pass',
      'watch at 10 %: pass',
      'watch at 50 %: pass',
      'smoke: pass',
      'bake: pass',
    ]);
    expect(scalesOf(world)).toEqual([
      'scale Deployment/shop',
      'scale Deployment/shop-x',
      'scale Deployment/shop',
      'scale Deployment/shop-x',
      'scale Deployment/shop',
      'scale Deployment/shop-x',
    ]);
    // Never fewer pods than all the traffic needs.
    expect(Math.min(...seen)).toBe(3);
    const shares = result.evidence.shares?.map(({ atMs: _at, ...share }) => share);
    expect(shares).toEqual([
      {
        weightPercent: 10,
        achievedPercent: 25,
        candidatePods: 1,
        stablePods: 3,
        measuredPercent: 25,
      },
      {
        weightPercent: 50,
        achievedPercent: 50,
        candidatePods: 2,
        stablePods: 2,
        measuredPercent: 50,
      },
      {
        weightPercent: 100,
        achievedPercent: 100,
        candidatePods: 3,
        stablePods: 0,
        measuredPercent: 100,
      },
    ]);
    const { stages } = await progressOf(run);
    expect(stages.find(({ name }) => name === 'shift to 10 %')?.note).toBe(
      '1 of 4 pods, 25 %, 25 % measured',
    );
    expect(podsIn(world)).toEqual({ '1': 0, '2': 3 });
    await server.replayAndRecord(run, 'canary-by-pods');
  }, 120_000);

  test('errors at a stop: the old pods are back before the new ones go, everything exact', async () => {
    const world = await worldByPods();
    const before = contentOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity === 'probes.watch' && podsIn(world)['2'] === 2) world.traffic.failureRatio = 0.5;
    };
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'watch at 50 %',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(result.compensations[0]).toMatchObject({ step: 'share by pods', outcome: 'undone' });
    expect(scalesOf(world).slice(-2)).toEqual(['scale Deployment/shop', 'scale Deployment/shop-x']);
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'canary-by-pods-undone');
  }, 120_000);

  test('an operator sets a share, which is shown with what it comes to, and aborts', async () => {
    const world = await worldByPods();
    const before = contentOf(world);
    world.hooks.beforeCall = () => {
      world.traffic.windowTakesMs = podsIn(world)['2'] === 1 ? 3_000 : 20;
    };
    const run = await deploy(server, world, { version: '2', input });
    await until(run, ({ rollout }) => rollout?.weightPercent === 10);
    expect((await progressOf(run)).rollout).toMatchObject({ achievedPercent: 25 });
    await send(run, 'setWeight', { weightPercent: 70 });
    const held = await until(run, ({ rollout }) => rollout?.weightPercent === 70);
    expect(held.rollout).toMatchObject({ achievedPercent: 66.7, heldAtPercent: 70 });
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 120_000);

  test('a new version that does not start once updated leaves everything as before', async () => {
    const world = await worldByPods();
    const before = contentOf(world);
    world.hooks.beforeCall = () => {
      if (writesOf(world).includes('patch Deployment/shop') && podsIn(world)['1'] === 0) {
        world.cluster.knobs.failRolloutOfImage = { 'shop:2': 'ROLLOUT_FAILED' };
      }
    };
    const run = await deploy(server, world, { version: '2', input });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'roll out Deployment/shop',
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 120_000);
});
