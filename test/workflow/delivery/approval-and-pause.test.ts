import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import { test } from '../../setup/side-by-side.ts';
import { startReleaseServer } from './release-server.ts';
import type { ReleaseServer } from './release-server.ts';
import {
  announced,
  contentOf,
  deploy,
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

const codeOf = async (attempt: Promise<unknown>): Promise<unknown> => {
  try {
    await attempt;
    return 'none';
  } catch (error) {
    return (error as { cause?: { type?: string } }).cause?.type;
  }
};

const stageOf = async (run: ReleaseHandle, name: string): Promise<string | undefined> =>
  (await progressOf(run)).stages.find((stage) => stage.name === name)?.status;

const approvals = [{ name: 'release-manager', expiresAfterMs: 600_000 }];
const waitsForApproval = ({ waitingFor }: { waitingFor?: unknown }): boolean =>
  waitingFor !== undefined;

const asksForApproval = ({ waitingFor }: DeployServiceProgress): boolean =>
  waitingFor?.planDigest !== undefined;

describe('an approval', () => {
  test('is bound to the plan: a decision about another one is refused', async () => {
    const world = await seededWorld(server);
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const { waitingFor, planDigest } = await until(run, (progress) =>
      (progress.waitingFor?.verbs ?? []).includes('approve'),
    );
    expect(waitingFor).toMatchObject({ verbs: ['approve', 'reject', 'abort'], planDigest });
    const metadata = await run.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain(`"planDigest":"${planDigest}"`);
    const other = `sha256:${'1'.repeat(64)}`;
    await until(run, () => announced(world, '2').includes('approval-wanted'));
    expect(await codeOf(send(run, 'approve', { planDigest: other }))).toBe('MESSAGE_REFUSED');
    expect(await codeOf(send(run, 'approve', { planDigest: 'latest' }))).toBe('MESSAGE_REFUSED');
    expect(await codeOf(send(run, 'approve', { planDigest, extra: 1 }))).toBe('MESSAGE_REFUSED');
    expect(await send(run, 'approve', { planDigest })).toMatchObject({ changed: true });
    const result = await run.result();
    expect(result).toMatchObject({ outcome: 'deployed' });
    expect(result.evidence.identities.map(({ action }) => action)).toEqual(['deploy', 'approve']);
    await server.replayAndRecord(run, 'approved');
  });

  test('that is rejected refuses the release, with the reason', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const { planDigest } = await until(run, (progress) =>
      (progress.waitingFor?.verbs ?? []).includes('reject'),
    );
    await send(run, 'reject', { planDigest });
    expect(await codeOf(run.result())).toBe('APPROVAL_REJECTED');
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('a new plan needs a new approval', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.fail.capture = { times: 1, code: 'PLAN_STALE' };
    const run = await deploy(server, world, { version: '2', input: { approvals } });
    const first = await until(run, waitsForApproval);
    await until(run, ({ waitingFor }) => waitingFor?.planDigest !== undefined);
    const edited = { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-notes' };
    world.cluster.edit(edited, (object) => ({ ...object, data: { readme: 'edited' } }));
    const planDigest = (await progressOf(run)).planDigest;
    await send(run, 'approve', { planDigest });
    const second = await until(
      run,
      ({ waitingFor }) =>
        waitingFor?.planDigest !== undefined && waitingFor.planDigest !== planDigest,
    );
    expect(second.planDigest).not.toBe(first.planDigest);
    expect(await codeOf(send(run, 'reject', { planDigest }))).toBe('MESSAGE_REFUSED');
    await send(run, 'approve', { planDigest: second.planDigest });
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    await server.replay([run]);
  });
});

describe('an approval of two people', () => {
  const two = [{ name: 'release-manager', expiresAfterMs: 600_000, quorum: 2 }];
  const ben = { actor: 'ben@example.com', reason: 'read it, too' };

  test('waits for the second one, and takes nobody twice', async () => {
    const world = await seededWorld(server);
    const run = await deploy(server, world, { version: '2', input: { approvals: two } });
    const { planDigest, waitingFor } = await until(run, asksForApproval);
    expect(waitingFor?.what).toContain('by 2 people, 0 of 2 given');
    expect(await send(run, 'approve', { planDigest })).toMatchObject({ changed: true });
    expect(await send(run, 'approve', { planDigest })).toMatchObject({ changed: false });
    expect((await progressOf(run)).waitingFor?.what).toContain('1 of 2 given');
    expect(await send(run, 'approve', { planDigest, ...ben })).toMatchObject({ changed: true });
    const { outcome, evidence } = await run.result();
    expect(outcome).toBe('deployed');
    expect(evidence.identities.map(({ actor }) => actor)).toEqual([
      'ana@example.com',
      'ana@example.com',
      'ben@example.com',
    ]);
    await server.replayAndRecord(run, 'approved-by-two');
  });

  test('that has one of them when its time is over names who it was', async () => {
    const world = await seededWorld(server);
    const soon = [{ name: 'release-manager', expiresAfterMs: 4_000, quorum: 2 }];
    const run = await deploy(server, world, { version: '2', input: { approvals: soon } });
    const { planDigest } = await until(run, asksForApproval);
    await send(run, 'approve', { planDigest });
    const error: unknown = await run.result().catch((thrown: unknown) => thrown);
    expect((error as { cause?: { message?: string } }).cause?.message).toContain(
      'Only ana@example.com of 2 people approved',
    );
    await server.replay([run]);
  });

  test('of a group is refused where nobody has to prove who they are', async () => {
    const world = await seededWorld(server);
    const ofGroup = [{ name: 'release-manager', expiresAfterMs: 600_000, groups: ['leads'] }];
    const run = await deploy(server, world, { version: '2', input: { approvals: ofGroup } });
    expect(await codeOf(run.result())).toBe('INVALID_INPUT');
    await server.replay([run]);
  });
});

describe('a pause', () => {
  test('expires an approval all the same, and the release clock stands still meanwhile', async () => {
    const world = await seededWorld(server);
    const soon = [{ name: 'release-manager', expiresAfterMs: 6_000 }];
    const input = { approvals: soon, deadlineMs: 3_000 };
    const run = await deploy(server, world, { version: '2', input });
    await until(run, waitsForApproval);
    await send(run, 'pause');
    // The deadline of three seconds is long over by then, but counts no waiting for approval.
    expect(await codeOf(run.result())).toBe('APPROVAL_EXPIRED');
    await server.replay([run]);
  });

  test('stops a rolling update by spec.paused, and its deadlines, until it is resumed', async () => {
    const world = await seededWorld(server);
    world.cluster.knobs.pollsUntilReady = 40;
    const run = await deploy(server, world, { version: '2', input: { deadlineMs: 10_000 } });
    await until(run, ({ stages }) =>
      stages.some(
        ({ name, status }) => name === 'roll out Deployment/shop' && status === 'running',
      ),
    );
    expect(await send(run, 'pause')).toMatchObject({ changed: true });
    expect(await send(run, 'pause')).toMatchObject({ changed: false });
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };
    const isPaused = (): boolean =>
      (world.cluster.get(deployment)?.['spec'] as { paused?: boolean }).paused === true;
    await until(run, isPaused);
    expect((await progressOf(run)).status).toBe('paused');
    // Longer than the deadline of the whole release.
    await new Promise((resolve) => {
      setTimeout(resolve, 10_500);
    });
    expect(await stageOf(run, 'roll out Deployment/shop')).toBe('running');
    await send(run, 'resume');
    expect(await run.result()).toMatchObject({ outcome: 'deployed' });
    expect(isPaused()).toBe(false);
    await server.replayAndRecord(run, 'paused-and-resumed');
  });

  test('is over when the run is aborted, and the way back leaves nothing paused', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    world.cluster.knobs.pollsUntilReady = 1_000;
    const run = await deploy(server, world, { version: '2' });
    await until(run, ({ stages }) =>
      stages.some(
        ({ name, status }) => name === 'roll out Deployment/shop' && status === 'running',
      ),
    );
    await send(run, 'pause');
    await until(run, () => world.cluster.writes.at(-1) === 'pause Deployment/shop');
    world.cluster.knobs.pollsUntilReady = 0;
    await send(run, 'abort');
    expect(await run.result()).toMatchObject({ outcome: 'restored-exactly' });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('keeps watching: a rollout that fails in a pause is put back', async () => {
    const world = await seededWorld(server);
    const before = contentOf(world);
    world.cluster.knobs.pollsUntilReady = 1_000;
    const run = await deploy(server, world, { version: '2' });
    await until(run, ({ stages }) =>
      stages.some(
        ({ name, status }) => name === 'roll out Deployment/shop' && status === 'running',
      ),
    );
    await send(run, 'pause');
    world.cluster.knobs.pollsUntilReady = 0;
    world.cluster.knobs.fail.awaitRollout = { times: 1, code: 'ROLLOUT_FAILED' };
    await until(run, () => world.cluster.writes.at(-1) === 'pause Deployment/shop');
    expect(await run.result()).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'ROLLOUT_FAILED' },
    });
    expect(contentOf(world)).toEqual(before);
    await server.replay([run]);
  });

  test('counts no time of a bake, but its failures', async () => {
    const world = await seededWorld(server);
    const paused = Promise.withResolvers<undefined>();
    const watching = Promise.withResolvers<undefined>();
    world.traffic.windowTakesMs = 1_500;
    world.hooks.beforeCall = async (activity) => {
      if (activity !== 'probes.watch') return;
      watching.resolve(undefined);
      await paused.promise;
    };
    const bake = { forMs: 4_000, path: '/', maxFailureRatio: 0.01 };
    const input = { bake: { ...bake, requestsPerSecond: 100, minSamples: 5 } };
    const run = await deploy(server, world, { version: '2', input });
    await watching.promise;
    await send(run, 'pause');
    paused.resolve(undefined);
    // Three windows of 1.5 s are more than the bake asks for, but none of them counts.
    await until(run, () => world.traffic.windows > 3);
    expect(await stageOf(run, 'bake')).toBe('running');
    world.traffic.failureRatio = 1;
    expect(await run.result()).toMatchObject({ failure: { code: 'BAKE_FAILED' } });
    await server.replay([run]);
  });

  test('lets an operator skip the gate that is being measured', async () => {
    const world = await seededWorld(server);
    world.traffic.windowTakesMs = 5_000;
    const bake = {
      forMs: 60_000,
      path: '/',
      maxFailureRatio: 0,
      requestsPerSecond: 1,
      minSamples: 5,
    };
    const run = await deploy(server, world, { version: '2', input: { bake } });
    expect(await codeOf(send(run, 'skip'))).toBe('MESSAGE_REFUSED');
    await until(run, ({ stages }) =>
      stages.some(({ name, status }) => name === 'bake' && status === 'running'),
    );
    await send(run, 'skip');
    expect(await run.result()).toMatchObject({
      outcome: 'deployed',
      gates: [{ name: 'bake', verdict: 'skipped' }],
    });
    await server.replay([run]);
  });
});
