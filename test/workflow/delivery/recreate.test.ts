import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import { test } from '../../setup/side-by-side.ts';
import { lockUntil } from './held-lock.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  contentOf,
  deploy,
  entityOf,
  progressOf,
  runningWorld,
  seededWorld,
  send,
  someone,
  until,
} from './sample-release.ts';

let server: ReleaseServer;

beforeAll(async () => {
  server = await startReleaseServer();
});
afterAll(() => server.stop());

const input = { strategy: { type: 'recreate' } } as const;
const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };

const replicasOf = ({ cluster }: World): unknown =>
  recordAt(cluster.get(deployment), 'spec')['replicas'];

/** Writes to the Deployment, without the fence. */
const workloadWrites = ({ cluster }: World, since: number): string[] =>
  cluster.writes
    .slice(since)
    .filter((write) => write.includes('Deployment/shop'))
    .map((write) => write.replace(/ @\d+$/, ''));

describe('a release that recreates its pods', () => {
  test('stops the old version, then starts the new one, and says for how long nobody served', async () => {
    const world = await seededWorld(server);
    const since = world.cluster.writes.length;
    const run = await deploy(server, world, { version: '2', input });
    expect(await run.result()).toMatchObject({ outcome: 'deployed', compensations: [] });
    expect(workloadWrites(world, since)).toEqual(['stop Deployment/shop', 'patch Deployment/shop']);
    expect(replicasOf(world)).toBe(3);
    const { stages } = await progressOf(run);
    const names = stages.map(({ name }) => name);
    expect(names.indexOf('drain Deployment/shop')).toBeLessThan(
      names.indexOf('patch Deployment/shop'),
    );
    expect(stages.every(({ status }) => status === 'done' || status === 'skipped')).toBe(true);
    const timeline = await run.query<{ what: string }[]>('timeline');
    expect(timeline.map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^nobody served for [\d.]+ s$/),
    );
    await server.replayAndRecord(run, 'recreated');
  });

  test('whose new version fails goes back in the same order: stopped, then the old one', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    const since = world.cluster.writes.length;
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    // Without pods nothing can fail: the image is looked at again as soon as there are some.
    world.cluster.knobs.beforeWrite = (step) => {
      if (step === 'undo patch Deployment/shop') world.cluster.knobs.failRolloutOfImage = {};
    };
    const run = await deploy(server, world, { version: '2', input });
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failedStep: 'roll out Deployment/shop',
      failure: { code: 'ROLLOUT_FAILED' },
    });
    expect(workloadWrites(world, since)).toEqual([
      'stop Deployment/shop',
      'patch Deployment/shop',
      'undo patch Deployment/shop',
      'undo stop Deployment/shop',
    ]);
    expect(contentOf(world)).toEqual(before);
    await server.replayAndRecord(run, 'recreate-undone');
  });

  test('is put back exactly when it is aborted while nothing runs', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    world.cluster.knobs.pollsUntilReady = 1_000;
    const run = await deploy(server, world, { version: '2', input });
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'drain Deployment/shop' && status === 'running'),
    );
    expect(replicasOf(world)).toBe(0);
    world.cluster.knobs.pollsUntilReady = 0;
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('is restored by the service when its run dies while nothing runs', async () => {
    const world = await runningWorld(server);
    const before = contentOf(world);
    world.cluster.knobs.pollsUntilReady = 1_000;
    const run = await deploy(server, world, { version: '2', input });
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'drain Deployment/shop' && status === 'running'),
    );
    await run.terminate('by the test');
    world.cluster.knobs.pollsUntilReady = 0;
    await lockUntil(server, world, ({ status }) => status === 'needs-operator');
    await entityOf(server, world).executeUpdate('resolveLock', {
      args: [{ ...someone, action: 'restore' }],
    });
    await lockUntil(server, world, ({ status }) => status === 'free');
    expect(contentOf(world)).toEqual(before);
  });
});
