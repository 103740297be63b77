import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeployServiceRequest } from '../../../client/index.ts';
import { manifestsOf } from '../../workflow/delivery/sample-release.ts';
import {
  approvals,
  errorOf,
  requestOf,
  startFacadeServer,
  type FacadeServer,
} from './facade-server.ts';

let server: FacadeServer;

beforeAll(async () => {
  server = await startFacadeServer();
}, 60_000);

afterAll(async () => server.stop());

describe('starting a release', () => {
  test('ends with the result, and the run can be found in the Temporal UI', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const run = await ops.delivery.deployService.start(requestOf(world));
    expect(run.started).toBe(true);
    expect(run.url).toBe(
      `http://127.0.0.1:8233/namespaces/default/workflows/${encodeURIComponent(run.workflowId)}/${run.runId ?? ''}/history`,
    );
    const result = await run.result();
    expect(result.outcome).toBe('deployed');
    expect(result.evidence.identities[0]).toMatchObject({ actor: 'ana@example.com' });
    expect(result.proof.rows.every(({ verdict }) => verdict === 'exact')).toBe(true);
    expect(await run.progress()).toMatchObject({ status: 'finished', outcome: 'deployed' });
  });

  test('the release is named after its content unless it has a name', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const [first, second] = await Promise.all(
      ['1', '2'].map(async (version) =>
        ops.delivery.deployService.prepare(requestOf(world, { manifests: manifestsOf(version) })),
      ),
    );
    expect(first?.release).not.toBe(second?.release);
    const named = await ops.delivery.deployService.prepare(requestOf(world, { release: '2.4.1' }));
    expect(named.release).toBe('2.4.1');
  });

  test('no manifest is in the history', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const planted = `planted-${randomUUID()}`;
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-credentials' },
      stringData: { token: planted },
    };
    const run = await ops.delivery.deployService.start(
      requestOf(world, { manifests: [...manifestsOf('1'), secret] }),
    );
    await run.result();
    const history = await server.env.client.workflow.getHandle(run.workflowId).fetchHistory();
    const payloads = JSON.stringify(history, (_key, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
    );
    expect(payloads).toContain(world.environment);
    expect(payloads).not.toContain(planted);
    expect(payloads).not.toContain(Buffer.from(planted).toString('base64'));
  });

  test.each([
    { what: 'a name that is none', changes: { service: 'Shop' }, field: 'service' },
    { what: 'an unknown field', changes: { deadlin: 1 }, field: 'deadlin' },
    {
      what: 'a wrong type deep inside',
      changes: { smoke: [{ path: 'x' }] },
      field: 'smoke[0].path',
    },
    { what: 'no manifest', changes: { manifests: [] }, field: 'manifests' },
  ])('$what is refused before anything is stored or started', async ({ changes, field }) => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const request = { ...requestOf(world), ...changes } as DeployServiceRequest;
    const error = await errorOf(ops.delivery.deployService.start(request));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', subject: field, retryable: false });
    expect(error.message).toContain(`${field}: `);
    const prefix = `deploy:${world.environment}:`;
    const open = await server.env.client.workflow.count(`WorkflowId STARTS_WITH '${prefix}'`);
    expect(open.count).toBe(0);
  });
});

describe('a run that is there already', () => {
  test('the same request finds it, another one is refused, startOrGet takes it', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const { deployService } = ops.delivery;
    const request = requestOf(world, { release: '1', approvals });
    const first = await deployService.start(request);
    const again = await deployService.start({
      ...request,
      requestedBy: { actor: 'ben@example.com', reason: 'asked twice' },
    });
    expect(again).toMatchObject({ started: false, runId: first.runId });

    const other = { ...request, manifests: manifestsOf('2') };
    const error = await errorOf(deployService.start(other));
    expect(error).toMatchObject({ code: 'RUN_EXISTS', subject: first.workflowId });
    expect(await deployService.startOrGet(other)).toMatchObject({
      started: false,
      runId: first.runId,
    });
    await first.abort({ reason: 'the test is over' });
    expect((await errorOf(first.result())).code).toBe('ABORTED');
  });

  test('an ended run stands in nobody’s way, except of a retry with its idempotency key', async () => {
    const world = server.world();
    const ops = await server.clientOf(world);
    const { deployService } = ops.delivery;
    const request = requestOf(world, { release: '1' });
    const first = await deployService.start(request, { idempotencyKey: 'build-77' });
    await first.result();
    const retried = await deployService.start(request, { idempotencyKey: 'build-77' });
    expect(retried).toMatchObject({ started: false, runId: first.runId });
    const changed = deployService.start(
      { ...request, manifests: manifestsOf('2') },
      { idempotencyKey: 'build-77' },
    );
    expect((await errorOf(changed)).code).toBe('RUN_EXISTS');
    const second = await deployService.start(request, { idempotencyKey: 'build-78' });
    expect(second.started).toBe(true);
    expect(second.runId).not.toBe(first.runId);
    expect((await second.result()).outcome).toBe('deployed');
    const third = await deployService.start(request);
    expect(third.started).toBe(true);
    await third.result();
  });
});
