import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../../contracts/delivery/deploy-service.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { contentOf, deploy, progressOf, seededWorld, send } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const input = {
  deadlineMs: 60_000,
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 100, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 500, minSamples: 20 },
};

/** Version 1 runs; one window of traffic is one bake. */
const seeded = async (): Promise<World> => {
  const world = await seededWorld(server);
  world.traffic.windowTakesMs = 110;
  return world;
};

/** The steps of an undisturbed release, as the activities that it calls one after the other. */
const stepsOfRelease = async (): Promise<string[]> => {
  const world = await seeded();
  const calls: string[] = [];
  world.hooks.beforeCall = (activity, workflowId) => {
    if (workflowId.startsWith('deploy:')) calls.push(activity);
  };
  await (await deploy(server, world, { version: '2', input })).result();
  return calls;
};

interface Stopped {
  world: World;
  run: ReleaseHandle;
  before: unknown;
  /** Lets the activity that was caught at the stop go on, as a zombie does. */
  releaseZombie: () => Promise<void>;
}

/** Stops a release at the moment when its call number `index` is about to act. */
const stopAt = async (
  index: number,
  stop: (run: ReleaseHandle) => Promise<unknown>,
): Promise<Stopped> => {
  const { caught, ...stopped } = await catchAt(index, input.deadlineMs);
  await caught;
  await stop(stopped.run);
  return stopped;
};

/** On a slow machine the first deadlines are over before the call is reached. */
const stopByDeadlineAt = async (index: number, deadlineMs = 1_000): Promise<Stopped> => {
  const { caught, ...stopped } = await catchAt(index, deadlineMs);
  const reached = await Promise.race([
    caught.then(() => true),
    endOf(stopped.run).then(() => false),
  ]);
  return reached ? stopped : stopByDeadlineAt(index, deadlineMs * 2);
};

/** Starts a release whose call number `index` waits, when it is about to act, to be released. */
const catchAt = async (
  index: number,
  deadlineMs: number,
): Promise<Stopped & { caught: Promise<unknown> }> => {
  const world = await seeded();
  const before = contentOf(world);
  const zombie = Promise.withResolvers<undefined>();
  const caught = Promise.withResolvers<undefined>();
  let calls = 0;
  world.hooks.beforeCall = async (_activity, workflowId) => {
    if (!workflowId.startsWith('deploy:')) return;
    calls += 1;
    if (calls !== index + 1) return;
    caught.resolve(undefined);
    await zombie.promise;
  };
  const run = await deploy(server, world, { version: '2', input: { ...input, deadlineMs } });
  const releaseZombie = async (): Promise<void> => {
    zombie.resolve(undefined);
    // The in-memory cluster acts at once when it is called.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { world, run, before, releaseZombie, caught: caught.promise };
};

/** After the proof an abort is refused: everything is new already. */
const abort = async (run: ReleaseHandle): Promise<void> => {
  try {
    await send(run, 'abort');
  } catch (error) {
    expect(error).toHaveProperty('cause.type', 'MESSAGE_REFUSED');
  }
};

const endOf = async (run: ReleaseHandle): Promise<DeployServiceResult['outcome'] | 'refused'> => {
  try {
    return (await run.result()).outcome;
  } catch {
    return (await progressOf(run)).outcome as 'refused';
  }
};

const newContent = async (): Promise<unknown> => {
  const world = await seeded();
  await (await deploy(server, world, { version: '2', input })).result();
  return contentOf(world);
};

const withoutUids = (content: unknown): unknown =>
  JSON.parse(JSON.stringify(content, (key, value: unknown) => (key === 'uid' ? undefined : value)));

/** All new with `deployed`, all old with anything else; nothing in between. */
const expectAllOrNothing = async (
  { world, run, before }: Stopped,
  whenNew: unknown,
): Promise<void> => {
  const outcome = await endOf(run);
  expect(['deployed', 'restored-exactly', 'refused']).toContain(outcome);
  if (outcome === 'deployed') expect(withoutUids(contentOf(world))).toEqual(withoutUids(whenNew));
  else expect(contentOf(world)).toEqual(before);
};

describe('a release that is stopped at any of its steps', () => {
  let steps: string[];
  let whenNew: unknown;

  beforeAll(async () => {
    steps = await stepsOfRelease();
    whenNew = await newContent();
  });

  /** A few at a time: more would only wait for each other. */
  const atEveryStep = async (check: (index: number) => Promise<void>): Promise<void> => {
    expect(steps.length).toBeGreaterThan(10);
    const todo = steps.map((_, index) => index);
    const lane = async (): Promise<void> => {
      for (let index = todo.shift(); index !== undefined; index = todo.shift()) await check(index);
    };
    await Promise.all([lane(), lane(), lane()]);
  };

  test('by abort: ends all new or all old, and the caught write changes nothing later', async () => {
    await atEveryStep(async (index) => {
      const stopped = await stopAt(index, abort);
      await expectAllOrNothing(stopped, whenNew);
      await stopped.releaseZombie();
      await expectAllOrNothing(stopped, whenNew);
      await server.replay([stopped.run]);
    });
  });

  test('by cancelling the workflow', async () => {
    await atEveryStep(async (index) => {
      const stopped = await stopAt(index, (run) => run.cancel());
      await stopped.releaseZombie();
      await expectAllOrNothing(stopped, whenNew);
      await server.replay([stopped.run]);
    });
  });

  test('by its deadline', async () => {
    await atEveryStep(async (index) => {
      const stopped = await stopByDeadlineAt(index);
      await expectAllOrNothing(stopped, whenNew);
      await stopped.releaseZombie();
      await server.replay([stopped.run]);
    });
  });
});
