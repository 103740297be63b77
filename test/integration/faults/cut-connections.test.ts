import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApiClient, type ApiClient } from '../../../activities/kubernetes/api-client.ts';
import { openConnection } from '../../../activities/kubernetes/api-connection.ts';
import { openAccess } from '../../../activities/kubernetes/cluster-access.ts';
import type { ClusterAccess } from '../../../activities/kubernetes/cluster-access.ts';
import { callPrometheus } from '../../../activities/metrics/prometheus-exchange.ts';
import { createWebhookNotifier } from '../../../activities/notify/webhook-notifier.ts';
import { openConnections } from '../../../activities/traffic/http-exchange.ts';
import { startTcpRelay, type TcpRelay } from '../../setup/tcp-relay.ts';
import { levelOneSandbox } from '../kubernetes/level-one.ts';

const path = '/api/v1/namespaces/default/configmaps';
const watched = { path, query: { watch: 'true', timeoutSeconds: '50' } };

describe('an API server whose connections are cut', () => {
  let access: ClusterAccess;
  let relay: TcpRelay;

  beforeAll(async () => {
    const { kubeconfigPath: file, context } = (await levelOneSandbox()).kubernetes;
    access = await openAccess({ environment: 'cut', file, context });
    const { hostname: host, port } = new URL(access.server);
    relay = await startTcpRelay({ host, port: Number(port) });
  });

  afterAll(async () => {
    await relay.close();
  });

  const throughRelay = (): ApiClient =>
    createApiClient(
      openConnection({ ...access, server: `https://127.0.0.1:${String(relay.port)}` }),
    );

  /** As a release does whose first list says that there is nothing to wait for. */
  const giveUpWatches = async (api: ApiClient, afterMs: number): Promise<string[]> => {
    const { signal, abort } = withAbort();
    const watches = [1, 2].map(async () =>
      api.watch(watched, { signal, onEvent: () => undefined }).then(
        () => 'ended',
        () => 'given up',
      ),
    );
    const listed = api.call({ method: 'GET', path });
    await delay(afterMs);
    abort();
    await listed;
    return Promise.all(watches);
  };

  const withAbort = (): { signal: AbortSignal; abort: () => void } => {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      abort: () => {
        controller.abort();
      },
    };
  };

  test('watches that were given up while they connected take nothing down with them', async () => {
    const clients = Array.from({ length: 60 }, throughRelay);
    for (const [index, api] of clients.entries()) {
      // Somewhere in this time its connection is made, wherever that is on this machine.
      expect(await giveUpWatches(api, 1 + (index % 10))).toEqual(['given up', 'given up']);
    }
    relay.cut();
    // An error that nobody listens for ends this process, as it would end a worker.
    await delay(200);
    expect(await clients[0]?.call({ method: 'GET', path })).toMatchObject({
      kind: 'ConfigMapList',
    });
  });
});

describe('every other server that a worker speaks to', () => {
  let relay: TcpRelay;

  beforeAll(async () => {
    relay = await startTcpRelay();
  });

  afterAll(async () => {
    await relay.close();
  });

  /** The names of protocols that a client offers stand in the first bytes it sends. */
  const offeredBy = async (speak: (origin: string) => Promise<unknown>): Promise<string[]> => {
    const before = relay.beginnings.length;
    await speak(`https://127.0.0.1:${String(relay.port)}`).catch(() => undefined);
    const hello = relay.beginnings[before]?.toString('latin1') ?? '';
    return ['h2', 'http/1.1'].filter((name) =>
      hello.includes(String.fromCodePoint(name.length) + name),
    );
  };

  const spoken: [string, (origin: string) => Promise<unknown>][] = [
    [
      'Prometheus',
      (origin) =>
        callPrometheus(
          { origin, basePath: '', subject: origin },
          { path: '/api/v1/query', parameters: {}, timeoutMs: 5_000 },
        ),
    ],
    [
      'a service under traffic, over kept connections',
      (origin) =>
        openConnections({ newConnectionPercent: 0 }).get({ origin, basePath: '' }, '/', 5_000),
    ],
    [
      'a service under traffic, over new connections',
      (origin) =>
        openConnections({ newConnectionPercent: 100 }).get({ origin, basePath: '' }, '/', 5_000),
    ],
    [
      'a webhook',
      (origin) =>
        createWebhookNotifier()(origin, {
          ...{ id: 'one', event: 'started', text: '', workflowId: 'w', runId: 'r' },
        }),
    ],
  ];

  test.each(spoken)('%s is spoken to in HTTP/1.1', async (_name, speak) => {
    expect(await offeredBy(speak)).toEqual(['http/1.1']);
  });
});
