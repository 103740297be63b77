import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import type {
  DeployServiceInput,
  DeployServiceProgress,
} from '../../../contracts/delivery/deploy-service.ts';
import { test } from '../../setup/side-by-side.ts';
import { letRollOut, lockUntil, rollingOut } from './held-lock.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  contentOf,
  deploy,
  entityOf,
  lockOf,
  progressOf,
  seededWorld,
  until,
} from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

/** A release that has joined the queue. */
const waiting = async (
  world: World,
  version: string,
  queue: DeployServiceInput['queue'],
): Promise<ReleaseHandle> => {
  const run = await deploy(server, world, { version, input: { queue } });
  await until(run, ({ status }) => status === 'waiting');
  return run;
};

const placeOf = async (run: ReleaseHandle): Promise<string | undefined> =>
  (await progressOf(run)).waitingFor?.what;

const queueOf = async (world: World): Promise<string[]> =>
  (await lockOf(server, world)).queue.map(({ release }) => release);

const failureOf = (run: ReleaseHandle): Promise<unknown> =>
  run.result().then(
    () => undefined,
    (error: unknown) => error,
  );

describe('I-10 a second release during the first', () => {
  test('waits: first come, first served, and it says its place', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await waiting(world, '3', 'wait');
    const third = await waiting(world, '4', 'wait');
    expect(await placeOf(second)).toContain('place 1');
    expect(await placeOf(third)).toContain('place 2');
    letRollOut(world);
    const ends = await Promise.all([first, second, third].map((run) => run.result()));
    expect(ends).toMatchObject([{ epoch: 3 }, { epoch: 5 }, { epoch: 7 }]);
    await server.replay([first, second, third]);
  });

  test('supersedes the waiting, but neither the holder nor a hotfix', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await waiting(world, '3', 'wait');
    const hotfix = await waiting(world, '2.1', 'hotfix');
    const third = await waiting(world, '4', 'supersede');
    const failure = await failureOf(second);
    expect(failure).toHaveProperty('cause.type', 'SUPERSEDED');
    expect(failure).toHaveProperty('cause.message', expect.stringContaining('Release 4'));
    expect(await progressOf(second)).toMatchObject({ outcome: 'refused', failedStep: 'lock' });
    expect(world.notifications.filter(({ event }) => event === 'refused')).toMatchObject([
      { release: '3', text: expect.stringMatching(/Release 4 superseded it.*Nothing was touched/) },
    ]);
    expect(await lockOf(server, world)).toMatchObject({
      holder: { release: '2' },
      queue: [
        { release: '2.1', queue: 'hotfix' },
        { release: '4', queue: 'supersede' },
      ],
    });
    letRollOut(world);
    const ends = await Promise.all([first, hotfix, third].map((run) => run.result()));
    expect(ends).toMatchObject([{ epoch: 3 }, { epoch: 5 }, { epoch: 7 }]);
    await server.replay([first, hotfix, third]);
    await server.replayAndRecord(second, 'superseded');
    await server.replayAndRecord(entityOf(server, world), 'queue-policies');
  });

  test('overtakes as a hotfix those who wait, and does not interrupt the holder', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await waiting(world, '3', 'wait');
    const hotfix = await waiting(world, '2.1', 'hotfix');
    expect(await placeOf(hotfix)).toContain('place 1 when it asked, as a hotfix');
    expect(await queueOf(world)).toEqual(['2.1', '3']);
    letRollOut(world);
    const ends = await Promise.all([first, hotfix, second].map((run) => run.result()));
    expect(ends).toMatchObject([
      { outcome: 'deployed', epoch: 3 },
      { outcome: 'deployed', epoch: 5 },
      { outcome: 'deployed', epoch: 7 },
    ]);
    await server.replay([first, hotfix, second, entityOf(server, world)]);
  });

  test('is not granted what it was about to get when it is superseded', async () => {
    const world = await seededWorld(server);
    const gate = Promise.withResolvers<true>();
    const asked = Promise.withResolvers<true>();
    world.hooks.beforeCall = async (activity) => {
      if (activity !== 'releases.highestFence') return;
      asked.resolve(true);
      await gate.promise;
    };
    const first = await deploy(server, world, { version: '2', input: { queue: 'wait' } });
    await asked.promise;
    const second = await deploy(server, world, { version: '3', input: { queue: 'supersede' } });
    expect(await failureOf(first)).toHaveProperty('cause.type', 'SUPERSEDED');
    gate.resolve(true);
    expect(await second.result()).toMatchObject({ outcome: 'deployed', epoch: 3 });
    expect((await lockOf(server, world)).releases).toMatchObject([{ release: '3' }]);
    await server.replay([first, second, entityOf(server, world)]);
  });
});

/** Releases for which a run was asked to end its retention. */
const askedFor = async (run: WorkflowHandle): Promise<unknown[]> => {
  const { events } = await run.fetchHistory();
  return (events ?? [])
    .map(({ workflowExecutionSignaledEventAttributes: signal }) => signal)
    .filter((signal) => signal?.signalName === 'lockWanted')
    .map((signal) => signal?.input?.payloads?.[0]?.data ?? new Uint8Array())
    .map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as unknown);
};

const hourMs = 3_600_000;
const strategy = { type: 'blue-green' as const, steps: [], retainMs: hourMs };

const stageOf = async (run: ReleaseHandle, stage: string) =>
  (await progressOf(run)).stages.find(({ name }) => name === stage);

const isWaitingIn =
  (stage: string) =>
  ({ stages }: DeployServiceProgress): boolean =>
    stages.some(({ name, status }) => name === stage && status === 'running');

describe('I-10 a holder that only keeps the version before', () => {
  /** Version 2 has taken over; version 1 is kept for an hour. */
  const retaining = async (world: World): Promise<ReleaseHandle> => {
    const run = await deploy(server, world, { version: '2', input: { strategy } });
    await until(run, isWaitingIn('retain'));
    await lockUntil(server, world, ({ holder }) => holder?.isRetaining === true);
    return run;
  };

  test('a release that comes during the retention ends it', async () => {
    const world = await seededWorld(server);
    const first = await retaining(world);
    let before: unknown;
    world.hooks.beforeCall = (activity) => {
      if (activity === 'releases.plan') before = contentOf(world);
    };
    world.cluster.knobs.failRolloutOfImage = { ':3': 'ROLLOUT_FAILED' };
    const second = await deploy(server, world, { version: '3' });
    expect(await first.result()).toMatchObject({ outcome: 'deployed', epoch: 3 });
    expect(await stageOf(first, 'retain')).toMatchObject({
      status: 'done',
      note: 'cut short: release 3 waits',
    });
    const timeline = await first.query<{ what: string }[]>('timeline');
    expect(timeline.map(({ what }) => what)).toContain('retain: done, cut short: release 3 waits');
    // What undoing returns to is what the first release left when it was over.
    expect(await second.result()).toMatchObject({ outcome: 'restored-exactly', epoch: 5 });
    expect(contentOf(world)).toEqual(before);
    expect(JSON.stringify(before)).toContain('"image":"shop:2"');
    expect(JSON.stringify(before)).not.toContain('"image":"shop:1"');
    await server.replay([second]);
    await server.replayAndRecord(first, 'retention-cut-short');
    await server.replayAndRecord(entityOf(server, world), 'retention-ended');
  });

  test('one that waits already when the retention begins ends it at once', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.pollsUntilReady = Number.POSITIVE_INFINITY;
    const first = await deploy(server, world, { version: '2', input: { strategy } });
    await until(first, ({ epoch }) => epoch !== undefined);
    const second = await waiting(world, '3', 'supersede');
    letRollOut(world);
    expect(await first.result()).toMatchObject({ outcome: 'deployed' });
    expect(await stageOf(first, 'retain')).toMatchObject({ note: 'cut short: release 3 waits' });
    expect(await second.result()).toMatchObject({ outcome: 'deployed', epoch: 5 });
    await server.replay([first, second, entityOf(server, world)]);
  });

  test('is asked to end that once, and nobody else is', async () => {
    const world = await seededWorld(server);
    const first = await retaining(world);
    world.cluster.knobs.pollsUntilReady = Number.POSITIVE_INFINITY;
    const second = await waiting(world, '3', 'wait');
    await until(first, isWaitingIn('roll out Deployment/shop'));
    const hotfix = await waiting(world, '2.1', 'hotfix');
    letRollOut(world);
    const ends = await Promise.all([first, hotfix, second].map((run) => run.result()));
    expect(ends).toMatchObject([{ epoch: 3 }, { epoch: 5 }, { epoch: 7 }]);
    expect(await askedFor(first)).toMatchObject([{ release: '3' }]);
    expect(await askedFor(hotfix)).toEqual([]);
    await server.replay([first, second, hotfix, entityOf(server, world)]);
  });
});
