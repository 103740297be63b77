import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { temporal as proto } from '@temporalio/proto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createLocks } from '../../../activities/coordination/index.ts';
import type { LockClaim } from '../../../activities/coordination/port.ts';
import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';
import { lockMessageNames } from '../../../contracts/messages.ts';
import { longestQueue, serviceEntityId } from '../../../domain/delivery/service-lock.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

// No worker for the pool kubernetes runs here, so that the entity can queue claims but grant none.
// The name is also that of the environment: other tests are on the same server.
const queuePrefix = 'service-lock-test';
let temporal: TestWorkflowEnvironment;
let worker: WorkerChild;
let service = '';
let tests = 0;

beforeAll(async () => {
  temporal = await connectToTemporal();
  worker = startWorkerChild({
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'orchestration',
    HOLDFAST_QUEUE_PREFIX: queuePrefix,
    HOLDFAST_TIMEOUTS: 'test',
  });
  await worker.health();
});

beforeEach(() => {
  tests += 1;
  service = `shop-${String(tests)}`;
});

afterAll(async () => {
  worker.signal('SIGKILL');
  await worker.ended();
  await temporal.teardown();
});

const locks = () => createLocks({ client: temporal.client, queuePrefix });

const claimOf = (release: string): LockClaim => ({
  environment: queuePrefix,
  service,
  release,
  requestId: `deploy:${queuePrefix}:${service}:${release}/first`,
  workflowId: `deploy:${queuePrefix}:${service}:${release}`,
  runId: 'first',
  timeoutProfile: 'test',
});

const entity = () => temporal.client.workflow.getHandle(serviceEntityId(queuePrefix, service));

const reset = async (run: { workflowId: string; runId: string }): Promise<void> => {
  const request = proto.api.workflowservice.v1.ResetWorkflowExecutionRequest.fromObject({
    namespace: 'default',
    workflowExecution: run,
    // The first workflow task of a run ends with event 4.
    workflowTaskFinishEventId: 4,
    requestId: run.runId,
    reason: 'an operator resets the run',
  });
  await temporal.client.workflowService.resetWorkflowExecution(request);
};

describe('the lock of a service', () => {
  test('is asked for at an entity that the first claim starts, and places are kept', async () => {
    expect(await locks().request(claimOf('1'))).toEqual({ position: 1 });
    expect(await locks().request(claimOf('2'))).toEqual({ position: 2 });
    expect(await locks().request(claimOf('1'))).toEqual({ position: 1 });
    const state = await entity().query<ServiceLockState>(lockMessageNames.state);
    expect(state.queue.map(({ release }) => release)).toEqual(['1', '2']);
  });

  test('is claimed by a hotfix first, and a superseded claim does not come back', async () => {
    await locks().request(claimOf('1'));
    expect(await locks().request({ ...claimOf('2'), queue: 'hotfix' })).toEqual({ position: 1 });
    expect(await locks().request({ ...claimOf('3'), queue: 'supersede' })).toEqual({ position: 2 });
    await locks().request(claimOf('1'));
    const state = await entity().query<ServiceLockState>(lockMessageNames.state);
    expect(state.queue.map(({ release }) => release)).toEqual(['2', '3']);
    expect(state.settledRequestIds).toEqual([claimOf('1').requestId]);
  });

  test('is asked for anew when the entity was lost', async () => {
    await locks().request(claimOf('1'));
    await entity().terminate('the server lost it');
    expect(await locks().request(claimOf('1'))).toEqual({ position: 1 });
  });

  test('is refused with its code when the queue is full', async () => {
    for (let place = 1; place <= longestQueue; place += 1) {
      await locks().request(claimOf(`r${String(place)}`));
    }
    await expect(locks().request(claimOf('late'))).rejects.toMatchObject({
      type: 'QUEUE_FULL',
      nonRetryable: true,
      details: [{ code: 'QUEUE_FULL', next: expect.any(String) }],
    });
  });
});

describe('a holder', () => {
  test('is running until it is terminated, also under the run id of before a reset', async () => {
    await locks().request(claimOf('1'));
    const { workflowId, runId } = await entity().describe();
    expect(await locks().holderStatus({ workflowId, runId })).toMatchObject({ status: 'running' });
    await reset({ workflowId, runId });
    expect((await entity().describe()).runId).not.toBe(runId);
    expect(await locks().holderStatus({ workflowId, runId })).toMatchObject({ status: 'running' });
    await entity().terminate('an operator ends the run');
    expect(await locks().holderStatus({ workflowId, runId })).toMatchObject({
      status: 'closed',
      detail: expect.stringContaining('terminated'),
    });
  });

  test('that was followed by an unrelated run of the same name is closed', async () => {
    await locks().request(claimOf('1'));
    const { workflowId, runId } = await entity().describe();
    await entity().terminate('an operator ends the run');
    await locks().request(claimOf('1'));
    expect(await locks().holderStatus({ workflowId, runId })).toMatchObject({ status: 'closed' });
  });

  test('that the server does not know any more is closed', async () => {
    const gone = { workflowId: `deploy:${queuePrefix}:shop:0`, runId: crypto.randomUUID() };
    expect(await locks().holderStatus(gone)).toMatchObject({ status: 'closed' });
  });
});
