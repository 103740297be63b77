import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { makeAccessKey, readAccessKey, signCommand } from '../../../activities/identity/index.ts';
import { readProof, writeProof } from '../../../domain/security/signed-command.ts';
import { refuseOutsideRuns } from '../../../workers/refuse-outside-runs.ts';
import { contentOf, seededWorld } from '../../workflow/delivery/sample-release.ts';
import { refusalOf, startAccessServer, type AccessServer } from './access-server.ts';
import { approvals, requestOf } from './facade-server.ts';
import { approve, reason, signedByAnna, stillWaits, waitingRelease } from './waiting-release.ts';

// Whoever attacks here may write to the namespace, with a plain client of Temporal.

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer();
}, 60_000);
afterAll(async () => server.stop());

describe('an approval that was forged', () => {
  test('by an update without proof, with another one, or with another signature', async () => {
    const target = await waitingRelease(server);
    const message = { actor: 'anna@example.com', reason, planDigest: target.planDigest };
    const good = await signedByAnna(server, target);
    const { command = '', key = '', signature = '' } = readProof(good.proof ?? '') ?? {};
    const mine = readAccessKey(makeAccessKey('anna@example.com').text);
    const mySignature = signCommand(mine, command);
    const withProof = (credential: { key: string; signature: string }) => ({
      ...good,
      proof: writeProof({ command, ...credential }),
    });
    const forged = [
      message,
      { ...message, proof: 'trust me' },
      withProof({ key, signature: 'AA' }),
      withProof({ key, signature: mySignature }),
      // A key that nobody stored.
      withProof({ key: mine.id, signature: mySignature }),
      withProof({ key: mine.id, signature }),
      { ...good, reason: 'other words' },
      { ...good, actor: 'adam@example.com' },
    ];
    for (const attempt of forged) {
      expect(await refusalOf(approve(target, attempt))).toMatchObject({
        code: 'IDENTITY_UNPROVEN',
      });
    }
    await stillWaits(target);
    // The message that was copied all the time is still good where it belongs.
    await approve(target, good);
    expect((await target.run.result()).outcome).toBe('deployed');
  });

  test('by a signal is heard by nobody', async () => {
    const target = await waitingRelease(server);
    const good = await signedByAnna(server, target);
    for (const name of ['approve', 'approved', 'skip']) await target.plain.signal(name, good);
    await stillWaits(target);
    await target.plain.terminate('the test has seen enough');
  });

  test('by a start with an input that asks for none', async () => {
    const target = await waitingRelease(server);
    const { world, run } = target;
    const before = contentOf(world);
    const input = (await run.input()) as Record<string, unknown>;
    await target.plain.terminate('to make room');
    const inputs = [
      { ...input, approvals: [] },
      { ...input, approvals: [], requestedBy: { actor: 'adam@example.com', reason } },
      { ...input, release: '3' },
    ];
    for (const [index, crafted] of inputs.entries()) {
      const started = await server.env.client.workflow.start<(input: unknown) => Promise<unknown>>(
        'deployService',
        {
          workflowId: index < 2 ? run.workflowId : `deploy:${world.environment}:shop:3`,
          taskQueue: `${server.prefix}-orchestration`,
          args: [crafted],
        },
      );
      expect(await refusalOf(started.result())).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
    }
    expect(contentOf(world)).toEqual(before);
  });

  test('by starting what only an entity starts, or an entity with an invented memory', async () => {
    const world = await seededWorld(server);
    const { environment } = world;
    const taskQueue = `${server.prefix}-orchestration`;
    const restore = await server.env.client.workflow.start<(input: unknown) => Promise<unknown>>(
      'restoreRelease',
      {
        workflowId: `restore:${environment}:shop:2:9`,
        taskQueue,
        args: [{ environment, service: 'shop', release: '2', epoch: 9, timeoutProfile: 'test' }],
      },
    );
    expect(await refusalOf(restore.result())).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
    const entity = await server.env.client.workflow.start<(input: unknown) => Promise<unknown>>(
      'serviceEntity',
      {
        workflowId: `service:${environment}:shop`,
        taskQueue,
        args: [
          { environment, service: 'shop', carried: { environment, service: 'shop', epoch: 7 } },
        ],
      },
    );
    expect(await refusalOf(entity.result())).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
  });
});

describe('an approval that was copied', () => {
  test('fits no other run, no other plan, and no second time', async () => {
    const [one, other] = [await waitingRelease(server), await waitingRelease(server, '4')];
    const good = await signedByAnna(server, one);
    expect(await refusalOf(approve(other, good))).toMatchObject({
      code: 'MESSAGE_REFUSED',
      message: expect.stringContaining('the proof is for the run'),
    });
    const moved = await refusalOf(
      approve(one, { ...good, planDigest: `sha256:${'1'.repeat(64)}` }),
    );
    expect(moved).toMatchObject({
      code: 'MESSAGE_REFUSED',
      message: expect.stringContaining('the proof is for plan'),
    });
    await stillWaits(one);
    await stillWaits(other);
    await approve(one, good);
    expect(await refusalOf(approve(one, good))).toMatchObject({ code: 'MESSAGE_REFUSED' });
    await other.plain.terminate('the test has seen enough');
  });

  test('fits no later run of the same name', async () => {
    const first = await waitingRelease(server);
    const good = await signedByAnna(server, first);
    await first.plain.terminate('to make room');
    const rita = await server.as(first.world, 'rita@example.com');
    const again = await rita.delivery.deployService.start(
      requestOf(first.world, { release: '2', approvals }),
    );
    expect(again).toMatchObject({ workflowId: first.run.workflowId, started: true });
    // The run has begun once it knows who asked for it.
    for await (const { progress } of again.watch({ intervalMs: 20 })) {
      if (progress?.service === 'shop') break;
    }
    expect(await refusalOf(approve({ ...first, run: again }, good))).toMatchObject({
      code: 'MESSAGE_REFUSED',
      message: expect.stringContaining('another run'),
    });
    const { identities } = await again.evidence();
    expect(identities.filter(({ action }) => action === 'approve')).toEqual([]);
    await first.plain.terminate('the test has seen enough');
  });

  test('is worth nothing after its time', async () => {
    const target = await waitingRelease(server);
    const late = await signedByAnna(server, target, { lifetimeMs: 1 });
    expect(await refusalOf(approve(target, late))).toMatchObject({
      code: 'MESSAGE_REFUSED',
      message: expect.stringContaining('expired'),
    });
    await stillWaits(target);
    await target.plain.terminate('the test has seen enough');
  });
});

test('an activity that writes is not carried out for someone who starts it without a run', async () => {
  const { env, prefix } = server;
  const taskQueue = `${prefix}-by-hand`;
  const written: string[] = [];
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    activities: {
      'releases.write': async () => written.push('written'),
      'releases.plan': async () => 'planned',
    },
    interceptors: { activity: [refuseOutsideRuns] },
  });
  await worker.runUntil(async () => {
    const byHand = async (type: string): Promise<unknown> =>
      env.client.activity.execute(type, {
        id: `${prefix}-${type}`,
        taskQueue,
        args: [{}],
        scheduleToCloseTimeout: 60_000,
      });
    const refused = await byHand('releases.write').catch((error: unknown) => error);
    expect(refused).toMatchObject({ cause: { type: 'IDENTITY_UNPROVEN' } });
    expect(await byHand('releases.plan')).toBe('planned');
  });
  expect(written).toEqual([]);
});
