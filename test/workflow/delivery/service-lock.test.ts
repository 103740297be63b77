import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { MessageReceipt } from '../../../contracts/messages.ts';
import { fenceOf } from '../../../domain/delivery/object-fence.ts';
import { test } from '../../setup/side-by-side.ts';
import { letRollOut, lockUntil, rollingOut } from './held-lock.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer, World } from './release-server.ts';
import {
  contentOf,
  deploy,
  entityOf,
  lockOf,
  manifestsOf,
  progressOf,
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

describe('the lock of a service', () => {
  test('is held by one release at a time; the next one waits and follows', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await deploy(server, world, { version: '3' });
    const waiting = await until(second, ({ status }) => status === 'waiting');
    expect(waiting.waitingFor).toMatchObject({ verbs: ['abort'] });
    expect(await lockOf(server, world)).toMatchObject({
      status: 'held',
      holder: { release: '2' },
      queue: [{ release: '3' }],
    });
    letRollOut(world);
    expect(await first.result()).toMatchObject({ outcome: 'deployed', epoch: 3 });
    expect(await second.result()).toMatchObject({ outcome: 'deployed', epoch: 5 });
    await server.replay([first, second]);
    await server.replayAndRecord(entityOf(server, world), 'queue');
  });

  test('is not wanted any more by a release that is aborted in the queue', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await deploy(server, world, { version: '3' });
    await until(second, ({ status }) => status === 'waiting');
    await send(second, 'abort');
    await second.result().catch(() => undefined);
    expect(await progressOf(second)).toMatchObject({
      outcome: 'refused',
      failure: { code: 'ABORTED' },
    });
    expect((await lockOf(server, world)).queue).toEqual([]);
    letRollOut(world);
    await first.result();
    await server.replay([second, entityOf(server, world)]);
  });

  test('has an epoch above every fence on the cluster, also after Temporal was wiped', async () => {
    const world = await seededWorld(server);
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'shop' };
    world.cluster.edit(ref, (object) => ({
      ...object,
      metadata: {
        ...object.metadata,
        annotations: { ...object.metadata.annotations, 'holdfast.dev/fence': '41' },
      },
    }));
    const run = await deploy(server, world, { version: '2' });
    expect(await run.result()).toMatchObject({ outcome: 'deployed', epoch: 42 });
    expect(world.cluster.objects().map(fenceOf)).toContain(42);
  });

  test('refuses the claim that is one too many', async () => {
    const world = await seededWorld(server);
    const holder = await rollingOut(server, world, '2');
    const names = Array.from({ length: 20 }, (_, index) => `3-${index}`);
    const waiting = await Promise.all(names.map((version) => deploy(server, world, { version })));
    await lockUntil(server, world, ({ queue }) => queue.length === 20);
    const late = await deploy(server, world, { version: '4' });
    const failure: unknown = await late.result().catch((error: unknown) => error);
    expect(failure).toHaveProperty('cause.type', 'QUEUE_FULL');
    await Promise.all([...waiting, holder].map((run) => run.terminate('end of the test')));
  });

  test('keeps queue and request ids when the entity continues as new', async () => {
    const world = await seededWorld(server);
    const first = await rollingOut(server, world, '2');
    const second = await deploy(server, world, { version: '3' });
    await until(second, ({ status }) => status === 'waiting');
    const entity = entityOf(server, world);
    const before = await entity.describe();
    // Updates of claims that are known change nothing but make the history long.
    const claim = (await lockOf(server, world)).queue[0];
    const repeat = {
      ...claim,
      environment: world.environment,
      service: 'shop',
      timeoutProfile: 'test',
    };
    for (;;) {
      await entity.executeUpdate('requestLock', { args: [repeat] });
      if ((await entity.describe()).runId !== before.runId) break;
    }
    expect(await lockOf(server, world)).toMatchObject({
      holder: { release: '2', plan: { stableMs: 0 } },
      queue: [{ release: '3' }],
    });
    letRollOut(world);
    expect(await first.result()).toMatchObject({ outcome: 'deployed', epoch: 3 });
    expect(await second.result()).toMatchObject({ outcome: 'deployed', epoch: 5 });
    expect((await lockOf(server, world)).settledRequestIds).toHaveLength(2);
    await server.replay([
      entity,
      server.env.client.workflow.getHandle(entity.workflowId, before.runId),
    ]);
  });

  test('sweeps what an abandoned create left, before the next release begins', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.failRolloutOfImage = { ':2': 'ROLLOUT_FAILED' };
    await (await deploy(server, world, { version: '2' })).result();
    const [leftover] = manifestsOf('2').filter(({ metadata }) => metadata.name === 'shop-config');
    world.cluster.add({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: leftover?.['data'],
      metadata: {
        name: 'shop-config-late',
        annotations: {
          'holdfast.dev/fence': '3',
          'holdfast.dev/service': `${world.environment}/shop`,
          'holdfast.dev/release': '2',
          'holdfast.dev/created-by': '2',
        },
      },
    });
    const next = await deploy(server, world, { version: '3' });
    await next.result();
    const names = world.cluster.objects().map(({ metadata }) => metadata.name);
    expect(names).not.toContain('shop-config-late');
    await server.replay([entityOf(server, world)]);
  });
});

describe('a holder that was terminated', () => {
  const lost = async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    const holder = await rollingOut(server, world, '2');
    const next = await deploy(server, world, { version: '3' });
    await holder.terminate('the test plays a careless operator');
    letRollOut(world);
    const state = await lockUntil(server, world, ({ status }) => status === 'needs-operator');
    expect(state.needsOperator?.verbs).toEqual(['restore', 'adopt', 'release']);
    await until(next, () => world.notifications.some(({ event }) => event === 'needs-operator'));
    const { runId } = await holder.describe();
    return { world, before, next, lostRunId: runId };
  };
  const resolve = (world: World, action: string): Promise<MessageReceipt> =>
    entityOf(server, world).executeUpdate<MessageReceipt, [unknown]>('resolveLock', {
      args: [{ ...someone, action }],
    });

  test('is restored exactly, under an epoch of its own, and the next release follows', async () => {
    const { world, before, next, lostRunId } = await lost();
    await send(next, 'pause');
    await resolve(world, 'restore');
    const state = await lockUntil(server, world, ({ releases }) => releases.length > 0);
    expect(state.releases).toMatchObject([{ release: '2', outcome: 'restored-exactly', epoch: 5 }]);
    expect(contentOf(world)).toEqual(before);
    await send(next, 'resume');
    expect(await next.result()).toMatchObject({ outcome: 'deployed', epoch: 7 });
    expect(world.ended).toMatchObject([
      { release: '2', ending: 'failed', restoreMs: expect.any(Number) },
      { release: '3', ending: 'deployed' },
    ]);
    expect(world.ended[0]?.runId).toBe(lostRunId);
    const restore = `restore:${world.environment}:shop:2:5`;
    await server.replay([next]);
    await server.replayAndRecord(entityOf(server, world), 'lost-holder-restored');
    await server.replayAndRecord(server.env.client.workflow.getHandle(restore), 'restored');
  });

  test('is adopted: what is there is the last good release', async () => {
    const { world, next } = await lost();
    await resolve(world, 'adopt');
    await next.result();
    const { releases } = await lockOf(server, world);
    expect(releases).toMatchObject([{ release: '3' }, { release: '2', outcome: 'adopted' }]);
    expect(world.ended).toMatchObject([{ release: '2', ending: 'deployed' }, { release: '3' }]);
    await server.replayAndRecord(entityOf(server, world), 'lost-holder-adopted');
  });

  test('is released: the next one follows and nothing was undone', async () => {
    const { world, next } = await lost();
    const failure: unknown = await resolve(world, 'forget').catch((error: unknown) => error);
    expect(failure).toHaveProperty('cause.type', 'MESSAGE_REFUSED');
    await resolve(world, 'release');
    await next.result();
    expect(world.cluster.writes.some((write) => write.startsWith('undo'))).toBe(false);
    const { releases } = await lockOf(server, world);
    expect(releases).toMatchObject([{ release: '3' }, { release: '2', outcome: 'left-as-is' }]);
    expect(world.ended).toMatchObject([{ release: '2', ending: 'failed' }, { release: '3' }]);
    expect(world.ended[0]).not.toHaveProperty('restoreMs');
    await server.replay([entityOf(server, world)]);
  });

  test('that had not written anything yet frees the lock by itself', async () => {
    const world = await seededWorld(server);
    const approvals = [{ name: 'anyone', expiresAfterMs: 600_000 }];
    const holder = await deploy(server, world, { version: '2', input: { approvals } });
    await until(holder, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
    const next = await deploy(server, world, { version: '3' });
    await holder.terminate('the test plays a careless operator');
    expect(await next.result()).toMatchObject({ outcome: 'deployed' });
    await server.replay([entityOf(server, world)]);
  });
});
