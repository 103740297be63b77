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
    createApiClient(openConnection({ ...access, server: `https://${relay.address}` }));

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

type Spoken = [name: string, speak: (origin: string, timeoutMs: number) => Promise<unknown>];

const nobody = { credentials: () => Promise.resolve({ ca: 'none' }), proxyUrl: undefined };

/** One request that is given up after its time, by everything that speaks to a server. */
const spoken: Spoken[] = [
  [
    'an API server',
    async (server, timeoutMs) => {
      const wire = { method: 'GET' as const, path: '/', headers: {}, silenceMs: 5_000 };
      const signal = AbortSignal.timeout(timeoutMs);
      return openConnection({ ...nobody, server }).send({ ...wire, signal });
    },
  ],
  [
    'a proxy before an API server',
    async (proxyUrl, timeoutMs) => {
      const wire = { method: 'GET' as const, path: '/', headers: {}, silenceMs: 5_000 };
      const signal = AbortSignal.timeout(timeoutMs);
      const access = { ...nobody, server: 'https://cluster.example', proxyUrl };
      return openConnection(access).send({ ...wire, signal });
    },
  ],
  [
    'Prometheus',
    async (origin, timeoutMs) =>
      callPrometheus(
        { origin, basePath: '', subject: origin },
        { path: '/api/v1/query', parameters: {}, timeoutMs },
      ),
  ],
  ...[0, 100].map((newConnectionPercent): Spoken => [
    `a service, with ${String(newConnectionPercent)} % of new connections`,
    async (origin, timeoutMs) => {
      const connections = openConnections({ newConnectionPercent });
      const answer = await connections.get({ origin, basePath: '' }, '/', timeoutMs);
      void connections.close();
      throw new Error(answer.text);
    },
  ]),
];

const anyWebhook: Spoken = [
  'a webhook',
  async (origin) =>
    createWebhookNotifier()(origin, {
      ...{ id: 'one', event: 'started', text: '', workflowId: 'w', runId: 'r' },
    }),
];

describe('every server that a worker speaks to', () => {
  /** Extension 16 of the first message of TLS (RFC 7301), with its lengths: one protocol is offered. */
  const offersOnly = (protocol: string): Buffer => {
    const name = Buffer.from(protocol);
    const { length } = name;
    return Buffer.from([0, 16, 0, length + 3, 0, length + 1, length, ...name]);
  };

  test.each([...spoken, anyWebhook])('%s is spoken to in HTTP/1.1', async (_name, speak) => {
    const relay = await startTcpRelay();
    await speak(`https://${relay.address}`, 5_000).catch(() => undefined);
    expect(relay.beginnings[0]?.includes(offersOnly('http/1.1'))).toBe(true);
    await relay.close();
  });

  test.each(spoken)('%s that takes no connection keeps nobody waiting', async (_name, speak) => {
    const relay = await startTcpRelay('silence');
    const failure = speak(`https://${relay.address}`, 50);
    // The time of the request, not that of the connection, which is longer.
    await expect(failure).rejects.toThrow(/timeout|within 50 ms|no answer in time/i);
    await expect(failure).rejects.not.toThrow(/connect/i);
    await relay.close();
  });
});
