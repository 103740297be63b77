import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { planRelease } from '../../../client/cli/dry-run.ts';
import { createOpsClient, type DeployServiceRequest } from '../../../client/index.ts';
import { manifestsOf } from '../../workflow/delivery/sample-release.ts';
import {
  approvals,
  errorOf,
  liveRun,
  planOf,
  requestOf,
  startFacadeServer,
  type FacadeServer,
} from './facade-server.ts';
import { openTerminal } from './user-terminal.ts';

let server: FacadeServer;

beforeAll(async () => {
  server = await startFacadeServer();
}, 60_000);

afterAll(async () => server.stop());

describe('steering a run', () => {
  test('an approval is for one plan only; the live run is found by environment and service', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const started = await ops.delivery.deployService.start(requestOf(world, { approvals }));
    const planDigest = await planOf(ops, world);
    const run = await liveRun(ops, world);
    expect(run.workflowId).toBe(started.workflowId);

    const wrong = `sha256:${'0'.repeat(64)}`;
    const refused = await errorOf(run.approve({ reason: 'unread', planDigest: wrong }));
    expect(refused.code).toBe('MESSAGE_REFUSED');
    expect((await run.progress()).status).toBe('waiting');
    const misspelt = await errorOf(run.approve({ reason: 'unread', planDigest: 'newest' }));
    expect(misspelt).toMatchObject({ code: 'INVALID_INPUT', subject: 'planDigest' });

    const receipt = await run.approve({ reason: 'read it', planDigest, actor: 'ben@example.com' });
    expect(receipt.changed).toBe(true);
    const { outcome, evidence } = await run.result();
    expect(outcome).toBe('deployed');
    expect(evidence.identities).toContainEqual(
      expect.objectContaining({ action: 'approve', actor: 'ben@example.com', reason: 'read it' }),
    );
    const gone = ops.delivery.deployService.getHandle({
      environment: world.environment,
      service: 'shop',
    });
    expect((await errorOf(gone)).code).toBe('RUN_NOT_FOUND');
    const byRelease = await ops.delivery.deployService.getHandle({
      environment: world.environment,
      service: 'shop',
      release: started.workflowId.split(':')[3] ?? '',
    });
    expect((await byRelease.result()).outcome).toBe('deployed');
  });

  test('a rejected plan ends the run with its code, and nothing was written', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const run = await ops.delivery.deployService.start(requestOf(world, { approvals }));
    await run.reject({ reason: 'too late in the day', planDigest: await planOf(ops, world) });
    const error = await errorOf(run.result());
    expect(error.code).toBe('APPROVAL_REJECTED');
    expect(error.message).toContain('too late in the day');
    expect(world.cluster.writes).toEqual([]);
  });

  test('watching shows the pods of the rollout and ends with the run', async () => {
    const world = server.world();
    Object.assign(world.cluster.knobs, { pollsUntilReady: 40, pollEveryMs: 50 });
    const ops = await server.clientOf(world);
    const run = await ops.delivery.deployService.start(requestOf(world));
    const views = [];
    for await (const view of run.watch({ intervalMs: 100 })) views.push(view);
    expect(views.some(({ pods }) => pods !== null && pods.wantedReplicas === 3)).toBe(true);
    const last = views.at(-1);
    expect(last).toMatchObject({ executionStatus: 'COMPLETED', silence: null });
    expect(last?.progress?.outcome).toBe('deployed');
  });

  test('a run that was terminated says that nothing was undone, and what to run', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const run = await ops.delivery.deployService.start(requestOf(world, { approvals }));
    await planOf(ops, world);
    await server.env.client.workflow.getHandle(run.workflowId).terminate('by mistake');
    const error = await errorOf(run.result());
    expect(error.code).toBe('COMPENSATION_FAILED');
    expect(error.message).toContain('nothing was undone');
    expect(error.next).toContain('holdfast lock');
  });
});

describe('a service and its runs', () => {
  test('the state of a service tells its last good release; an unknown one is an error', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    await ops.delivery.deployService.execute(requestOf(world, { release: '7' }));
    const state = await ops.services.state(world.environment, 'shop');
    expect(state).toMatchObject({ status: 'free', lastGood: { release: '7' } });
    const unknown = await errorOf(ops.services.state(world.environment, 'till'));
    expect(unknown).toMatchObject({ code: 'RUN_NOT_FOUND' });
    expect(unknown.next).toContain('holdfast deploy');
    const idle = ops.services.resolveLock(world.environment, 'shop', {
      action: 'restore',
      reason: 'nobody holds it',
    });
    expect((await errorOf(idle)).code).toBe('MESSAGE_REFUSED');
  });

  test('who waits is shown with place and policy; a superseded release says by whom', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const start = (release: string, changes: Partial<DeployServiceRequest> = {}) =>
      ops.delivery.deployService.start(requestOf(world, { release, ...changes }));
    const holder = await start('1', { approvals });
    await planOf(ops, world);
    const waiting = async (release: string, queue: 'wait' | 'supersede' | 'hotfix') => {
      const run = await start(release, { queue });
      for await (const { progress } of run.watch({ intervalMs: 20 })) {
        if (progress?.status === 'waiting') return run;
      }
      throw new Error(`${release} did not wait`);
    };
    const superseded = await waiting('2', 'wait');
    await waiting('2.1', 'hotfix');
    const terminal = openTerminal(
      {
        directory: os.tmpdir(),
        temporalAddress: server.env.address,
        temporalNamespace: 'default',
        blobsDirectory: os.tmpdir(),
        workflowBundlePath: '',
      },
      server.prefix,
    );
    const get = ['get', 'deploy', 'shop', '-e', world.environment];
    const shown = await terminal.holdfast(get);
    expect(shown.stdout).toMatch(/place +waiting +queue\n1 +2\.1 +hotfix\n2 +2 +wait\n$/);

    await waiting('3', 'supersede');
    const failure = await errorOf(superseded.result());
    expect(failure).toMatchObject({ code: 'SUPERSEDED', retryable: false });
    expect(failure.message).toContain('Release 3 superseded it');
    const { waiting: left } = JSON.parse((await terminal.holdfast([...get, '--json'])).stdout) as {
      waiting: unknown;
    };
    expect(left).toEqual([
      { place: 1, release: '2.1', queue: 'hotfix' },
      { place: 2, release: '3', queue: 'supersede' },
    ]);
    const ended = await terminal.holdfast([...get, '--release', '2', '--watch']);
    expect(ended).toMatchObject({ exitCode: 4 });
    expect(ended.stderr).toContain('SUPERSEDED');
    await holder.abort({ reason: 'the test is over' });
  }, 60_000);

  test('a dry run shows what would change and writes nothing', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    await ops.delivery.deployService.execute(requestOf(world, { release: '1' }));
    const before = [...world.cluster.writes];
    const next = requestOf(world, { release: '2', manifests: manifestsOf('2') });
    const plan = await planRelease(ops, next, server.prefix);
    expect(plan.changes.map(({ action }) => action)).toContain('patch');
    expect(plan.changes.flatMap(({ fields }) => fields.map(({ after }) => after))).toContain(
      'shop:2',
    );
    expect(world.cluster.writes).toEqual(before);
    expect((await ops.services.state(world.environment, 'shop')).status).toBe('free');
  });

  test('without a worker a run is started and says that nobody answers', async () => {
    const world = server.world();
    const ops = await server.clientOf(world, `idle-${randomUUID()}`);
    const run = await ops.delivery.deployService.start(requestOf(world));
    const [view] = [await run.watch()[Symbol.asyncIterator]().next()];
    expect(view.value).toMatchObject({ progress: null, executionStatus: 'RUNNING' });
    expect(view.value).toMatchObject({ silence: { code: 'TEMPORAL_UNREACHABLE' } });
    expect((view.value as { silence: Error }).silence.message).toContain('No worker');
    const error = await errorOf(run.pause({ reason: 'will not arrive' }));
    expect(error).toMatchObject({ code: 'TEMPORAL_UNREACHABLE', retryable: true });
    await server.env.client.workflow.getHandle(run.workflowId).terminate();
  }, 60_000);
});

test('a server that is not there is named, with what to run', async () => {
  const error = await errorOf(createOpsClient({ address: '127.0.0.1:9' }));
  expect(error).toMatchObject({ code: 'TEMPORAL_UNREACHABLE', retryable: true });
  expect(error.message).toContain('127.0.0.1:9');
  expect(error.next).toContain('npm start');
}, 15_000);
