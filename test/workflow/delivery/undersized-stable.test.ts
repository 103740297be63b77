import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { test } from '../../setup/side-by-side.ts';
import { numberAt } from '../../../domain/delivery/canonical-json.ts';
import { withReplicas } from '../../../domain/delivery/replica-ownership.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { watched, weightsIn, worldWithRoute, writesOf } from './sample-candidate.ts';
import { contentOf, deploy, runningWorld, send, until } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
const steps = [{ weightPercent: 50, forMs: 1_000 }];
const canary = { type: 'canary' as const, route: 'shop', steps };

const podsOfStable = ({ cluster }: World): number =>
  numberAt(cluster.get(deployment), 'spec', 'replicas') ?? 0;

/** While the new version has all of the traffic, someone leaves the old one this many pods. */
const shrinkUnderFullTraffic = (world: World, pods: number, failureRatio: number): void => {
  let isShrunk = false;
  world.hooks.beforeCall = (activity) => {
    if (isShrunk || activity !== 'probes.watch' || weightsIn(world)[1] !== 100) return;
    isShrunk = true;
    world.cluster.edit(deployment, (live) => withReplicas(live, pods));
    world.traffic.failureRatio = failureRatio;
  };
};

/** A pod of the old version more becomes ready each time that somebody looks. */
const oneMoreAtEachLook = (world: World, first: number): void => {
  let ready = first;
  world.cluster.knobs.readyPods = (name) => {
    if (name !== 'shop') return undefined;
    ready = podsOfStable(world) > first ? ready + 1 : first;
    return ready;
  };
};

const weighed = (world: World): number[] =>
  writesOf(world).flatMap((write) =>
    write.startsWith('weigh') ? [Number(write.split(' ').at(-1))] : [],
  );

const hasAll = (world: World): boolean => weighed(world).includes(100);

test('an old version that has its pods gets everything by the first call after the failure', async () => {
  const world = await worldWithRoute(server);
  const calls: string[] = [];
  world.hooks.beforeCall = (activity) => {
    if (!activity.startsWith('notifications.')) calls.push(activity);
    if (activity === 'probes.watch' && weightsIn(world)[1] === 100)
      world.traffic.failureRatio = 0.5;
  };
  const run = await deploy(server, world, {
    version: '2',
    input: { ...watched, strategy: canary },
  });
  expect(await run.result()).toMatchObject({ outcome: 'restored-exactly', failedStep: 'bake' });
  expect(calls[calls.lastIndexOf('probes.watch') + 1]).toBe('routes.setWeight');
  expect(weighed(world)).toEqual([50, 100, 0]);
  await server.replay([run]);
}, 60_000);

describe('an old version that has fewer pods than the traffic needs', () => {
  test('gets its pods again, and the traffic as they become ready, never at one jump', async () => {
    const world = await worldWithRoute(server);
    const before = contentOf(world);
    shrinkUnderFullTraffic(world, 1, 0.5);
    oneMoreAtEachLook(world, 1);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'restored-exactly', failedStep: 'bake' });
    expect(result.compensations.find(({ step }) => step === 'shift shop')).toMatchObject({
      outcome: 'undone',
      note: 'all traffic goes to shop; it had too few pods for that and got 3',
    });
    expect(weighed(world)).toEqual([50, 100, 67, 34, 0]);
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'undersized-stable');
  }, 60_000);

  test('keeps the share that its pods carry until an operator comes, where it gets no more', async () => {
    const world = await worldWithRoute(server);
    shrinkUnderFullTraffic(world, 1, 0.5);
    world.cluster.knobs.pollEveryMs = 100;
    world.cluster.knobs.readyPods = (name) => (name === 'shop' && hasAll(world) ? 1 : undefined);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary, compensationDeadlineMs: 1_000 },
    });
    await until(run, ({ status }) => status === 'needs-operator');
    expect(weightsIn(world)).toEqual([33, 67]);
    delete world.cluster.knobs.readyPods;
    await send(run, 'retryCompensation');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(weighed(world)).toEqual([50, 100, 67, 0]);
    await server.replay([run]);
  }, 90_000);

  test('takes everything at once from a new version without a ready pod', async () => {
    const world = await worldWithRoute(server);
    shrinkUnderFullTraffic(world, 1, 0.5);
    world.cluster.knobs.readyPods = (name) => {
      if (!hasAll(world)) return undefined;
      return name === 'shop' ? 1 : 0;
    };
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    await until(run, ({ compensations }) =>
      compensations.some(({ step, outcome }) => step === 'shift shop' && outcome === 'undone'),
    );
    expect(weighed(world)).toEqual([50, 100, 0]);
    delete world.cluster.knobs.readyPods;
    await run.result();
    await server.replay([run]);
  }, 60_000);

  test('has them before the Services are switched back to it', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    let atSwitch = 0;
    world.hooks.beforeCall = (activity) => {
      if (activity !== 'probes.watch') return;
      world.cluster.edit(deployment, (live) => withReplicas(live, 0));
      world.traffic.failureRatio = 0.5;
    };
    world.cluster.knobs.beforeWrite = (step) => {
      if (step === 'undo switch Service/shop') atSwitch = podsOfStable(world);
    };
    const strategy = { type: 'blue-green' as const, steps: [], retainMs: 0 };
    const run = await deploy(server, world, { version: '2', input: { ...watched, strategy } });
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly', failedStep: 'bake' });
    expect(writesOf(world)).toContain('scale Deployment/shop');
    expect(atSwitch).toBe(3);
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  }, 60_000);

  test('has them before the updated Deployment takes the traffic back', async () => {
    const world = await worldWithRoute(server);
    shrinkUnderFullTraffic(world, 1, 0);
    const run = await deploy(server, world, {
      version: '2',
      input: { ...watched, strategy: canary },
    });
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    expect(podsOfStable(world)).toBe(3);
    expect(weighed(world)).toEqual([50, 100, 67, 0]);
    await server.replay([run]);
  }, 60_000);
});
