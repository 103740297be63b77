import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { lockUntil } from '../../workflow/delivery/held-lock.ts';
import { contentOf, manifestsOf } from '../../workflow/delivery/sample-release.ts';
import { startAccessServer, type AccessServer } from './access-server.ts';
import { approvals, requestOf } from './facade-server.ts';
import { approve, signedByAnna, waitingRelease, type Waiting } from './waiting-release.ts';

// Whoever attacks here may write to the namespace, with a plain client of Temporal.

let server: AccessServer;

beforeAll(async () => {
  server = await startAccessServer();
}, 60_000);
afterAll(async () => server.stop());

/** Goes back to before or after the task in which the run took the approval. */
const resetTo = async (
  { plain, run }: Waiting,
  place: 'before the approval' | 'after the approval',
): Promise<WorkflowHandle> => {
  const { events } = await plain.fetchHistory();
  const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  const taken = (events ?? []).find(
    (event) =>
      event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name ===
      'approve',
  );
  const at = tasks.findLastIndex((task) => Number(task.eventId) < Number(taken?.eventId));
  const task = tasks[place === 'before the approval' ? at : at + 1];
  const { client, namespace } = server.env;
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: namespace ?? 'default',
    workflowExecution: { workflowId: run.workflowId, runId: (await plain.describe()).runId },
    reason: 'an attack',
    requestId: randomUUID(),
    workflowTaskFinishEventId: task?.eventId ?? null,
  });
  return client.workflow.getHandle(run.workflowId, runId);
};

const deployed = async (release: string): Promise<Waiting> => {
  const notify = [{ webhook: 'http://127.0.0.1:9000/hooks' }];
  const target = await waitingRelease(server, release, { notify });
  await approve(target, await signedByAnna(server, target));
  expect((await target.run.result()).outcome).toBe('deployed');
  return target;
};

describe('a gated run', () => {
  test('that is terminated before its approval has changed nothing, and lets the next one go on', async () => {
    const target = await waitingRelease(server);
    const before = contentOf(target.world);
    await target.plain.terminate('an attack');
    await lockUntil(server, target.world, ({ status }) => status === 'free');
    expect(contentOf(target.world)).toEqual(before);
  });

  test('that is reset to before its approval does not take the old one, though Temporal sends it again', async () => {
    const target = await deployed('2');
    const writes = target.world.cluster.writes.length;
    const again = await resetTo(target, 'before the approval');
    const rita = await server.as(target.world, 'rita@example.com');
    const run = await rita.delivery.deployService.getHandle(target.run.workflowId);
    for await (const { progress } of run.watch({ intervalMs: 20 })) {
      if (progress?.waitingFor?.planDigest !== undefined) break;
    }
    expect((await run.evidence()).identities.map(({ action }) => action)).not.toContain('approve');
    expect(target.world.cluster.writes).toHaveLength(writes);
    await again.terminate('the test has seen enough');
  });

  test('that is reset to after its approval when a later release is out writes nothing, and pages', async () => {
    const target = await deployed('2');
    const rita = await server.as(target.world, 'rita@example.com');
    const later = await rita.delivery.deployService.start(
      requestOf(target.world, { release: '3', manifests: manifestsOf('3'), approvals }),
    );
    const { world } = target;
    const plain = server.env.client.workflow.getHandle(later.workflowId);
    for await (const { progress } of later.watch({ intervalMs: 20 })) {
      const planDigest = progress?.waitingFor?.planDigest;
      if (planDigest === undefined) continue;
      const next = { world, run: later, plain, planDigest };
      await approve(next, await signedByAnna(server, next));
      break;
    }
    expect((await later.result()).outcome).toBe('deployed');
    const before = contentOf(world);
    const reset = await resetTo(target, 'after the approval');
    const again = await rita.delivery.deployService.getHandle(target.run.workflowId);
    for await (const { progress } of again.watch({ intervalMs: 20 })) {
      if (progress?.status !== 'needs-operator') continue;
      // What it approved was the run before it was reset.
      expect(progress.failure).toMatchObject({ code: 'IDENTITY_UNPROVEN' });
      expect(progress.compensations.map(({ error }) => error?.code)).toContain('FENCED');
      break;
    }
    const isPaged = (): boolean =>
      world.notifications.some(({ event }) => event === 'needs-operator');
    while (!isPaged()) await delay(50);
    const fenced = await rita.delivery.deployService.getHandle(target.run.workflowId);
    await fenced.abort({ reason: 'the newer one stays' });
    await reset.result();
    expect(contentOf(world)).toEqual(before);
  });
});
