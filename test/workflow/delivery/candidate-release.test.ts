import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { contentOf, deploy, progressOf, runningWorld, send, until } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer({ kind: 'time-skipping' });
}, 60_000);
afterAll(() => server.stop());

const minuteMs = 60_000;
const smoke = [{ path: '/healthz', expectStatus: 200 }];
const bake = { forMs: 1_000, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 500 };
const watched = { smoke, bake: { ...bake, minSamples: 20 }, versionHeader: 'X-Version' };

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
const switched = { type: 'blue-green' as const, steps: [], retainMs: 0 };

const route: KubernetesObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop', uid: 'route-1', generation: 1 },
  spec: {
    parentRefs: [{ name: 'gateway' }],
    rules: [{ backendRefs: [{ name: 'shop', port: 80, group: '', kind: 'Service', weight: 1 }] }],
  },
};

/** Version 1 runs and answers; version 2 answers through whatever share it has. */
const worldWithRoute = async (): Promise<World> => {
  const world = await runningWorld(server);
  world.cluster.add(route);
  world.traffic.smokeVersion = '2';
  world.traffic.versions = () => {
    const share = shareIn(world);
    return [
      { version: '1', share: 1 - share, failureRatio: 0 },
      { version: '2', share, failureRatio: world.traffic.failureRatio ?? 0 },
    ];
  };
  return world;
};

const weightsIn = (world: World): number[] => {
  const live = world.cluster.get({ ...route, name: 'shop' }) as unknown as {
    spec: { rules: { backendRefs: { weight?: number }[] }[] };
  };
  return (live.spec.rules[0]?.backendRefs ?? []).map(({ weight = 1 }) => weight);
};

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };

/** Share of version 2: by the weights, or all where only the updated Deployment is left. */
const shareIn = (world: World): number => {
  const [stable = 1, candidate] = weightsIn(world);
  if (candidate !== undefined) return candidate / (stable + candidate);
  return JSON.stringify(world.cluster.get(deployment)).includes('shop:2') ? 1 : 0;
};

const writesOf = (world: World): string[] =>
  world.cluster.writes.map((write) =>
    write.replace(/ @\d+$/, '').replaceAll(/-[0-9a-f]{6}\b/g, '-x'),
  );

const verdicts = (result: Awaited<ReturnType<ReleaseHandle['result']>>): string[] =>
  result.gates.map(({ name, verdict }) => `${name}: ${verdict}`);

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

describe('the ladder 10 % for 10 minutes, 50 % for 10 minutes, all, and an hour to go back', () => {
  test('with the real times: every stop is gated and the end is as the manifests say', async () => {
    const world = await worldWithRoute();
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
    await server.replayAndRecord(run, 'ladder');
  }, 120_000);

  test('A2: errors over the threshold at 10 % give everything back and nobody gets more', async () => {
    const world = await worldWithRoute();
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
    const world = await worldWithRoute();
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
    const world = await worldWithRoute();
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
    const world = await worldWithRoute();
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
    const world = await worldWithRoute();
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
