import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { contentOf, seededWorld } from '../../workflow/delivery/sample-release.ts';
import { startAccessServer, type AccessServer } from './access-server.ts';
import { errorOf, requestOf } from './facade-server.ts';
import { reason, signedByAnna, waitingRelease, type Waiting } from './waiting-release.ts';

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer();
}, 60_000);
afterAll(async () => server.stop());

const approveAs = async ({ world, run, planDigest }: Waiting, name: string) => {
  const ops = await server.as(world, `${name}@example.com`);
  const handle = await ops.delivery.deployService.getHandle(run.workflowId);
  return handle.approve({ reason, planDigest });
};

describe('an approval by several people', () => {
  test('waits until as many as are asked for have approved; one of them twice is one', async () => {
    const two = [{ name: 'release-manager', quorum: 2 }];
    const target = await waitingRelease(server, '2', { approvals: two });
    const before = contentOf(target.world);
    expect(await approveAs(target, 'anna')).toMatchObject({
      changed: true,
      state: '1 of 2 approvals given',
    });
    expect(await approveAs(target, 'anna')).toMatchObject({ changed: false });
    expect((await target.run.progress()).waitingFor?.what).toContain('by 2 people, 1 of 2 given');
    expect(contentOf(target.world)).toEqual(before);
    expect(await approveAs(target, 'adam')).toMatchObject({ changed: true });
    const { outcome, evidence } = await target.run.result();
    expect(outcome).toBe('deployed');
    expect(evidence.identities.map(({ action, actor }) => [action, actor])).toEqual([
      ['deploy', 'rita@example.com'],
      ['approve', 'anna@example.com'],
      ['approve', 'adam@example.com'],
    ]);
  });

  test('of a group is not given by someone outside of it, whatever they may', async () => {
    const ofGroup = [{ name: 'release-manager', groups: ['approvers'] }];
    const target = await waitingRelease(server, '2', { approvals: ofGroup });
    const refused = await errorOf(approveAs(target, 'adam'));
    expect(refused.message).toContain('adam@example.com is not in approvers');
    await approveAs(target, 'anna');
    expect((await target.run.result()).outcome).toBe('deployed');
  });

  test('is rejected by one', async () => {
    const two = [{ name: 'release-manager', quorum: 2 }];
    const target = await waitingRelease(server, '2', { approvals: two });
    await approveAs(target, 'anna');
    const ops = await server.as(target.world, 'adam@example.com');
    const handle = await ops.delivery.deployService.getHandle(target.run.workflowId);
    await handle.reject({ reason: 'not today', planDigest: target.planDigest });
    expect((await errorOf(target.run.result())).code).toBe('APPROVAL_REJECTED');
  });
});

describe('an approval that nobody could give', () => {
  const loneWays: [string, { quorum?: number; groups?: string[] }, string][] = [
    ['more people than may approve', { quorum: 3 }, 'only anna@example.com, adam@example.com may'],
    ['a group of people who may not approve', { groups: ['operators'] }, 'nobody may give it'],
    ['a group with too few of them', { quorum: 2, groups: ['approvers'] }, 'only anna@example.com'],
  ] as const;

  test.each(loneWays)('by %s is refused before anything starts', async (_, wanted, why) => {
    const world = await seededWorld(server);
    const request = requestOf(world, {
      release: '2',
      approvals: [{ name: 'release-manager', ...wanted }],
    });
    const rita = await server.as(world, 'rita@example.com');
    expect(await errorOf(rita.delivery.deployService.start(request))).toMatchObject({
      ...{ code: 'INVALID_INPUT', subject: 'approvals.0' },
      message: expect.stringContaining(why),
    });
    const workflowId = `deploy:${world.environment}:shop:2`;
    const plain = server.env.client.workflow.getHandle(workflowId);
    await expect(plain.describe()).rejects.toThrow(/not found/i);
    const past = await server.bypassing(world, 'rita@example.com');
    const run = await past.delivery.deployService.start(request);
    expect(await errorOf(run.result())).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(why),
    });
  });

  test('does not count who asks: nobody approves what they asked for', async () => {
    const world = await seededWorld(server);
    const adam = await server.as(world, 'adam@example.com');
    const approvals = [{ name: 'release-manager', groups: ['admins'] }];
    const asked = adam.delivery.deployService.start(requestOf(world, { release: '2', approvals }));
    expect((await errorOf(asked)).message).toContain('nobody may give it');
  });
});

describe('a write that workflows of somebody else ask for', () => {
  /** The code with which the write was refused. */
  const refusalOf = async (workflowId: string, request: unknown): Promise<unknown> => {
    const { client, nativeConnection, namespace } = server.env;
    const taskQueue = `rogue-${server.prefix}`;
    const worker = await Worker.create({
      connection: nativeConnection,
      namespace: namespace ?? 'default',
      taskQueue,
      workflowsPath: fileURLToPath(new URL('rogue-workflow.ts', import.meta.url)),
    });
    const written = client.workflow.execute<(queue: string, request: unknown) => Promise<unknown>>(
      'rogueWrite',
      { ...{ workflowId, taskQueue }, args: [`${server.prefix}-kubernetes`, request] },
    );
    const failure: unknown = await worker.runUntil(
      written.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    return (failure as { cause?: { cause?: { type?: string } } }).cause?.cause?.type;
  };

  const writeOf = ({ world, planDigest }: Waiting, warrant: unknown) => ({
    ...{ environment: world.environment, service: 'shop', release: '2', planDigest },
    ...{ epoch: 99, preImageDigest: planDigest, index: 0, warrant },
  });

  test('is refused without a warrant, and with one that nobody approved', async () => {
    const target = await waitingRelease(server);
    const before = contentOf(target.world);
    const warrant = {
      request: await target.run.input(),
      startedAtMs: Date.now(),
      approvals: [],
    };
    await target.plain.terminate('to make room for the same name');
    const { workflowId } = target.run;
    const attempts = [
      { shown: undefined, code: 'IDENTITY_UNPROVEN' },
      { shown: warrant, code: 'APPROVAL_MISSING' },
    ];
    for (const { shown, code } of attempts) {
      expect(await refusalOf(workflowId, writeOf(target, shown))).toBe(code);
    }
    expect(contentOf(target.world)).toEqual(before);
  });

  test('is refused with an approval that was given to the real run', async () => {
    const target = await waitingRelease(server);
    const before = contentOf(target.world);
    const message = await signedByAnna(server, target);
    const warrant = {
      request: await target.run.input(),
      startedAtMs: Date.now(),
      approvals: [{ message, takenAtMs: Date.now() }],
    };
    await target.plain.terminate('to make room for the same name');
    const code = await refusalOf(target.run.workflowId, writeOf(target, warrant));
    expect(code).toBe('IDENTITY_UNPROVEN');
    expect(contentOf(target.world)).toEqual(before);
  });
});
