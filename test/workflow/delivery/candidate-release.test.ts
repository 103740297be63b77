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
import { contentOf, deploy, runningWorld, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
}, 60_000);
afterAll(() => server.stop());

const switched = { type: 'blue-green' as const, steps: [], retainMs: 0 };

describe('blue-green by switching the Services', () => {
  test('comes up beside the old version, takes over, and ends as the manifests say', async () => {
    const world = await runningWorld(server);
    const from = world.cluster.writes.length;
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: switched },
    });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'deployed', compensations: [] });
    expect(verdicts(result)).toEqual(['preview: pass', 'smoke: pass', 'bake: pass']);
    expect(new Set(result.proof.rows.map(({ verdict }) => verdict))).toEqual(new Set(['exact']));
    const writes = writesOf(world).slice(from);
    const switchAt = writes.indexOf('switch Service/shop');
    const updateAt = writes.indexOf('patch Deployment/shop');
    expect(writes.slice(0, switchAt).every((write) => !write.endsWith(' Service/shop'))).toBe(true);
    expect(switchAt).toBeGreaterThan(writes.indexOf('activate Deployment/shop-x'));
    expect(updateAt).toBeGreaterThan(switchAt);
    expect(writes.indexOf('return Service/shop')).toBeGreaterThan(updateAt);
    expect(
      world.cluster.objects().filter(({ metadata }) => /-[0-9a-f]{6}$/.test(metadata.name)),
    ).toEqual([]);
    await server.replayAndRecord(run, 'blue-green');
  }, 60_000);

  test('a bad version in the bake: the first write after it switches back, everything exact', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.hooks.beforeCall = (activity) => {
      if (activity === 'probes.watch') world.traffic.failureRatio = 0.5;
    };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: switched },
    });
    const result = await run.result();
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'bake',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(result.compensations[0]).toMatchObject({
      step: 'switch Service/shop',
      outcome: 'undone',
    });
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'blue-green-undone');
  }, 60_000);

  test('a preview that fails never gets traffic', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.traffic.smokePasses = false;
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: switched },
    });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'preview',
    });
    expect(writesOf(world)).not.toContain('switch Service/shop');
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 60_000);
});

describe('steering a rollout', () => {
  const canary = {
    type: 'canary' as const,
    route: 'shop',
    steps: [
      { weightPercent: 20, forMs: 2 * minuteMs },
      { weightPercent: 60, forMs: 2 * minuteMs },
    ],
  };

  /** The first window of the first stop takes long enough to be met; all others are short. */
  const stayAtFirstStop = (world: World): void => {
    let atFirstStop = 0;
    world.hooks.beforeCall = (activity) => {
      world.traffic.windowTakesMs = 20;
      if (activity !== 'probes.watch' || weightsIn(world)[1] !== 20) return;
      atFirstStop += 1;
      // The share is measured first, then the stop is watched.
      if (atFirstStop === 2) world.traffic.windowTakesMs = 20_000;
    };
  };

  test('setWeight stays there until promote; each verb answers with the weight', async () => {
    const world = await worldWithRoute(server);
    stayAtFirstStop(world);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'watch at 20 %' && status === 'running'),
    );
    expect(await send(run, 'setWeight', { weightPercent: 35 })).toMatchObject({
      changed: true,
      weightPercent: 20,
    });
    const held = await until(
      run,
      ({ rollout }) => rollout?.heldAtPercent === 35 && rollout.weightPercent === 35,
    );
    expect(held.waitingFor?.verbs).toContain('promote');
    expect(await send(run, 'setWeight', { weightPercent: 35 })).toMatchObject({ changed: false });
    expect(await send(run, 'promote')).toMatchObject({ changed: true, weightPercent: 35 });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    const weights = writesOf(world).filter((write) => write.startsWith('weigh'));
    expect(weights).toEqual([20, 35, 60, 100, 0].map((weight) => `weigh HTTPRoute/shop ${weight}`));
    await server.replayAndRecord(run, 'canary-steered');
  }, 120_000);

  test('promoteFull gives everything without watching any more', async () => {
    const world = await worldWithRoute(server);
    stayAtFirstStop(world);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'watch at 20 %' && status === 'running'),
    );
    expect(await send(run, 'promoteFull')).toMatchObject({ changed: true });
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(verdicts(result)).toEqual(['preview: pass', 'watch at 20 %: skipped']);
    await server.replay([run]);
  }, 120_000);

  test('a share that does not follow the weight is put back', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    world.traffic.versions = () => [{ version: '1', share: 1, failureRatio: 0 }];
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'SHARE_NOT_REACHED' },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 120_000);
});
