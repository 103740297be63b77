import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ActivityHandle, Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Notification } from '../../../activities/notify/port.ts';
import type { WatchOutcome } from '../../../activities/traffic/port.ts';
import { startTcpRelay } from '../../setup/tcp-relay.ts';
import { connectToTemporal } from '../../setup/temporal-environment.ts';
import { startTarget } from '../traffic/http-target.ts';
import { startWorkerChild, type WorkerChild } from './worker-child.ts';

const queuePrefix = 'worker-process-test';
const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-worker-'));
let temporal: TestWorkflowEnvironment;
const children: WorkerChild[] = [];

beforeAll(async () => {
  temporal = await connectToTemporal();
});

afterEach(async () => {
  for (const child of children) child.signal('SIGKILL');
  await Promise.all(children.splice(0).map((child) => child.ended()));
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await temporal.teardown();
});

const startWorker = (env: Record<string, string> = {}, log?: number): WorkerChild => {
  const settings = {
    TEMPORAL_ADDRESS: temporal.address,
    HOLDFAST_POOLS: 'notify',
    HOLDFAST_QUEUE_PREFIX: queuePrefix,
    HOLDFAST_TIMEOUTS: 'test',
    ...env,
  };
  const child = startWorkerChild(settings, log);
  children.push(child);
  return child;
};

const get = async (url: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
};

/** A receiver that answers when the test says so, and keeps the keys of what came. */
const startReceiver = async (): Promise<{
  url: string;
  keys: string[];
  nextRequest: () => Promise<ServerResponse>;
  close: () => void;
}> => {
  const keys: string[] = [];
  const waiting: ServerResponse[] = [];
  let arrived = (): void => undefined;
  const server = createServer((request, response) => {
    keys.push(String(request.headers['idempotency-key']));
    waiting.push(response);
    arrived();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const nextRequest = async (): Promise<ServerResponse> => {
    const response = waiting.shift();
    if (response !== undefined) return response;
    await new Promise<void>((resolve) => (arrived = resolve));
    return nextRequest();
  };
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    keys,
    nextRequest,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const notification: Notification = {
  id: 'deploy:staging:shop:1/started',
  event: 'started',
  service: 'shop',
  environment: 'staging',
  release: '1',
  workflowId: 'deploy:staging:shop:1',
  text: 'shop 1 goes to staging.',
};

const send = (client: Client, id: string, webhook: string) =>
  client.activity.start('notifications.send', {
    id,
    taskQueue: `${queuePrefix}-notify`,
    startToCloseTimeout: '3s',
    retry: { initialInterval: '100ms' },
    args: [{ target: { webhook }, notification }],
  });

/** Longer than the grace of a worker that is stopped. */
const watchRequest = {
  environment: 'staging',
  service: 'shop',
  services: [],
  path: '/',
  windowMs: 5_000,
  requestsPerSecond: 20,
  stopAtFailures: 1,
};

describe('a worker process', () => {
  test('says when it is ready, and which pools poll', async () => {
    const health = await startWorker({ HOLDFAST_POOLS: 'notify' }).health();
    expect(await get(`${health}/livez`)).toEqual({ status: 200, body: { alive: true } });
    expect(await get(`${health}/readyz`)).toEqual({
      status: 200,
      body: { ready: true, detail: { notify: 'polling', namespace: 'reachable' } },
    });
    expect(await get(`${health}/metrics`)).toMatchObject({ status: 404 });
  });

  test('works on where nobody can take its log', async () => {
    const fullDisk = openSync('/dev/full', 'w');
    const worker = startWorker({ HOLDFAST_LOG_LEVEL: 'trace' }, fullDisk);
    const health = await worker.health();
    expect(await get(`${health}/readyz`)).toMatchObject({ status: 200 });
    worker.signal('SIGTERM');
    expect(await worker.ended()).toMatchObject({ code: 0 });
    closeSync(fullDisk);
  });

  test('lets running work finish on SIGTERM, then ends with 0', async () => {
    const receiver = await startReceiver();
    const worker = startWorker();
    const handle = await send(temporal.client, 'drain', receiver.url);
    const request = await receiver.nextRequest();
    worker.signal('SIGTERM');
    await worker.logged('"state":"STOPPING"');
    request.end('thanks');
    const { code, stderr } = await worker.ended();
    await handle.result();
    receiver.close();
    expect(receiver.keys).toEqual([notification.id]);
    expect(stderr).toContain('"state":"DRAINED"');
    expect(code).toBe(0);
  });

  test('that was killed is followed by another one, which repeats with the same key', async () => {
    const receiver = await startReceiver();
    const first = startWorker();
    const handle = await send(temporal.client, 'kill', receiver.url);
    await receiver.nextRequest();
    first.signal('SIGKILL');
    startWorker();
    (await receiver.nextRequest()).end('thanks');
    await handle.result();
    receiver.close();
    expect(receiver.keys).toEqual([notification.id, notification.id]);
  });

  test('that is stopped in the middle of a watch hands over what it has counted', async () => {
    const shop = await startTarget((_request, response) => response.end());
    const environmentsFile = path.join(folder, 'environments.yaml');
    const staging = { context: 'none', namespace: 'shop', traffic: { url: shop.url } };
    writeFileSync(environmentsFile, JSON.stringify({ environments: { staging } }));
    const env = { HOLDFAST_POOLS: 'traffic', HOLDFAST_ENVIRONMENTS: environmentsFile };
    const first = startWorker(env);
    const watch = await temporal.client.activity.start('probes.watch', {
      id: 'hand-over',
      taskQueue: `${queuePrefix}-traffic`,
      startToCloseTimeout: '30s',
      heartbeatTimeout: '5s',
      retry: { initialInterval: '100ms' },
      args: [watchRequest],
    });
    await first.health();
    while (shop.requests() === 0) await new Promise(setImmediate);
    first.signal('SIGTERM');
    expect(await first.ended()).toMatchObject({ code: 0 });
    const seenByFirst = shop.requests();
    startWorker(env);
    const outcome = await (watch as ActivityHandle<WatchOutcome>).result();
    await shop.close();
    const seenBySecond = shop.requests() - seenByFirst;
    expect(outcome).toMatchObject({ measured: true, counts: { failures: 0 } });
    expect(outcome.measured && outcome.counts.samples).toBeGreaterThan(seenBySecond);
  });

  test('is not ready, but alive, while Temporal does not answer', async () => {
    const [host = '', port = ''] = temporal.address.split(':');
    const relay = await startTcpRelay({ host, port: Number(port) });
    const health = await startWorker({ TEMPORAL_ADDRESS: relay.address }).health();
    expect(await get(`${health}/readyz`)).toMatchObject({ status: 200 });
    await relay.close();
    expect(await get(`${health}/readyz`)).toMatchObject({
      status: 503,
      body: { ready: false, detail: { namespace: expect.stringContaining('unreachable') } },
    });
    expect(await get(`${health}/livez`)).toMatchObject({ status: 200 });
  });

  test('without a server to talk to ends with 69 and says what to check', async () => {
    const { code, stdout, stderr } = await startWorker({ TEMPORAL_ADDRESS: '127.0.0.1:9' }).ended();
    expect({ code, stdout }).toEqual({ code: 69, stdout: '' });
    expect(stderr).toContain('127.0.0.1:9');
    expect(stderr).toContain('TEMPORAL_ADDRESS');
  });

  test('with wrong settings ends with 78 and names each of them', async () => {
    const wrong = { HOLDFAST_POOLS: 'gpu', HOLDFAST_HEALTH_PORT: 'x' };
    const { code, stdout, stderr } = await startWorker(wrong).ended();
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain('HOLDFAST_POOLS: there is no pool gpu');
    expect(stderr).toContain('HOLDFAST_HEALTH_PORT: ');
  });
});
