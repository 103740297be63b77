import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { DeployServiceInput } from '../../../contracts/delivery/deploy-service.ts';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  contentOf,
  deploy,
  lockOf,
  progressOf,
  seededWorld,
  send,
  until,
} from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const input: Partial<DeployServiceInput> = { compensationDeadlineMs: 1_000 };

/** A release whose Service cannot be put back; the Deployment was put back before. */
const stuck = async (): Promise<{ world: World; run: ReleaseHandle; before: unknown }> => {
  const world = await seededWorld(server);
  const before = contentOf(world);
  const { cluster, hooks } = world;
  cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
  let reverts = 0;
  hooks.beforeCall = (activity) => {
    if (activity !== 'releases.revert') return;
    reverts += 1;
    if (reverts === 2) cluster.knobs.fail.revert = { times: 1_000, code: 'PERMISSION_MISSING' };
  };
  const run = await deploy(server, world, { version: '2', input });
  await until(run, ({ status }) => status === 'needs-operator' && timesAsked(world) === 1);
  return { world, run, before };
};

/** How often an operator was told that something could not be undone. */
const timesAsked = ({ notifications }: World): number =>
  notifications.filter(({ text }) => text.includes('could not be undone')).length;

const repair = ({ cluster }: World): void => {
  delete cluster.knobs.fail.revert;
};

describe('a release that cannot be undone within its time', () => {
  test('waits for an operator with the verbs that resolve it, and holds back what depends', async () => {
    const { world, run } = await stuck();
    const progress = await progressOf(run);
    expect(progress.waitingFor?.verbs).toEqual(['retryCompensation', 'skip', 'abort']);
    expect(progress.compensations).toMatchObject([
      { step: 'patch Deployment/shop', outcome: 'undone' },
      { step: 'patch Service/shop', outcome: 'failed', error: { code: 'PERMISSION_MISSING' } },
    ]);
    expect(await lockOf(server, world)).toMatchObject({ status: 'held' });
    const described = await run.describe();
    const attributes = described.typedSearchAttributes.getAll();
    expect(attributes).toContainEqual(
      expect.objectContaining({
        key: expect.objectContaining({ name: 'HoldfastNeedsOperator' }),
        value: true,
      }),
    );
    repair(world);
    await send(run, 'abort');
    await run.result();
  });

  test('is put back exactly after retryCompensation', async () => {
    const { world, run, before } = await stuck();
    repair(world);
    await send(run, 'retryCompensation');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'needs-operator');
  });

  test('asks again where the retry fails too', async () => {
    const { world, run } = await stuck();
    await send(run, 'retryCompensation');
    await until(run, ({ status }) => status === 'needs-operator' && timesAsked(world) === 2);
    repair(world);
    await send(run, 'retryCompensation');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    await server.replay([run]);
  });

  test('goes on past the object after skip, which the proof then lists', async () => {
    const { world, run } = await stuck();
    repair(world);
    await send(run, 'skip');
    const result = await run.result();
    expect(result.outcome).toBe('restored-with-exceptions');
    expect(result.compensations.map(({ outcome }) => outcome)).toEqual([
      'undone',
      'skipped',
      'undone',
      'undone',
    ]);
    const exceptions = result.proof.rows.filter(({ verdict }) => verdict !== 'exact');
    expect(exceptions.map(({ object, verdict }) => `${object.name} ${verdict}`)).toEqual([
      'shop differs',
    ]);
    await server.replay([run]);
  });

  test('leaves everything else as it is after abort, and says so', async () => {
    const { world, run } = await stuck();
    await send(run, 'abort');
    const result = await run.result();
    expect(result.outcome).toBe('restored-with-exceptions');
    expect(result.compensations.map(({ outcome }) => outcome)).toEqual([
      'undone',
      'skipped',
      'skipped',
      'skipped',
    ]);
    expect(result.proof.rows.filter(({ verdict }) => verdict !== 'exact')).toHaveLength(3);
    expect(await lockOf(server, world)).toMatchObject({ status: 'free' });
    await server.replay([run]);
  });

  test('retries by itself within the time: a hiccup needs no operator', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    world.cluster.knobs.fail.revert = { times: 2, code: 'PERMISSION_MISSING' };
    const run = await deploy(server, world, { version: '2' });
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('tells an operator of attempts that keep failing, before it gives up', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    world.cluster.knobs.fail.revert = { times: 1_000, code: 'PERMISSION_MISSING' };
    const run = await deploy(server, world, { version: '2' });
    await until(run, () => world.notifications.some(({ event }) => event === 'needs-operator'));
    expect((await progressOf(run)).status).toBe('unwinding');
    repair(world);
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    await server.replay([run]);
  });

  test('a proof that cannot be made asks too; without it nothing counts as exact', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    world.cluster.knobs.fail.prove = { times: 1_000, code: 'BLOB_UNREADABLE' };
    const run = await deploy(server, world, { version: '2', input });
    await until(run, ({ status }) => status === 'needs-operator');
    await send(run, 'skip');
    expect(await run.result()).toMatchObject({
      outcome: 'restored-with-exceptions',
      proof: { rows: [] },
    });
    await server.replay([run]);
  });
});
