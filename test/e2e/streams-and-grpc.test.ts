import https from 'node:https';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GATEWAY_NAME, GATEWAY_NAMESPACE } from '../../sandbox/gateway/gateway-objects.ts';
import { sandboxDown, startPrometheus } from '../../sandbox/index.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { callWhile, type CallReport } from '../setup/steady-calls.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { startOpenSockets, type OpenSockets } from '../setup/open-sockets.ts';
import { hostOf, levelTwoState } from '../setup/release-stack.ts';
import { callApi, readConnection } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { shopManifests } from './shop-on-real-pods.ts';
import { isIn, openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);
const stateDirectory = path.join(levelTwoState, 'tests', 'prometheus-of-sockets');

const input = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 1_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
};
const steps = [
  { weightPercent: 20, forMs: 1_500 },
  { weightPercent: 60, forMs: 1_500 },
];

/**
 * Of the pods of one Deployment: `<its name>-<hash>-<five letters>`. A Deployment without a socket
 * has no series: that is none while the scrape works. Of a scrape that fails nothing is known.
 */
const openConnections =
  'sum(open_sockets{socket_pod=~"$workload-[a-z0-9]+-[a-z0-9]{5}"}) or 0 * max(up{job="sockets"} == 1)';

describeUnless(reason, 'WebSockets to real pods at a shift of traffic', () => {
  const strategy = { type: 'canary' as const, route: 'shop', steps };
  let sockets: OpenSockets;
  let shop: Shop;

  beforeAll(async () => {
    sockets = await startOpenSockets();
    const { url: prometheusUrl } = await startPrometheus({
      stateDirectory,
      scrapes: [{ job: 'sockets', targets: [sockets.metricsAddress] }],
      scrapeEveryMs: 1_000,
      onProgress: () => undefined,
    });
    shop = await openShop('sockets', { timeouts: 'test', throughProxy: true, prometheusUrl });
    const { outcome } = await shop.release(shopManifests('v1'), input);
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(async () => {
    await shop.close();
    sockets.close();
    await sandboxDown(stateDirectory);
  });

  const target = () => ({ url: shop.stack.gatewayUrl ?? '', host: hostOf(shop.namespace) });

  test('that end within the limit are not cut, and the limit is not waited for', async () => {
    await sockets.open(target(), 6);
    const drain = { withinMs: 5 * minute, openConnections };
    const release = await shop.start(shopManifests('v2'), { ...input, strategy, drain });
    await shop.until(release, isIn('drain the old version'));
    sockets.end();
    const { outcome, evidence } = await shop.rig.result(release);
    expect(outcome).toBe('deployed');
    expect(evidence.drains).toMatchObject([
      { workload: 'shop', connectionsCut: 0 },
      { workload: expect.stringMatching(/^shop-/), connectionsCut: 0 },
    ]);
    expect(sockets.cut()).toBe(0);
  });

  test('that stay are counted when the limit is reached, and then they are cut', async () => {
    await sockets.open(target(), 5);
    const drain = { withinMs: 5_000, openConnections };
    const { value, report } = await shop.underTraffic(() =>
      shop.release(shopManifests('v1'), { ...input, strategy, drain }),
    );
    expect(value.outcome).toBe('deployed');
    expect(value.evidence.drains?.[0]).toMatchObject({ workload: 'shop', connectionsCut: 5 });
    expect(report.failures).toEqual([]);
    while (sockets.cut() < 5) await delay(100);
  });
});

/** The shop speaks gRPC too, on the same port. */
const grpcRoute = (namespace: string): object => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'GRPCRoute',
  metadata: { name: 'shop-grpc', namespace },
  spec: {
    parentRefs: [{ name: GATEWAY_NAME, namespace: GATEWAY_NAMESPACE }],
    hostnames: [`grpc.${hostOf(namespace)}`],
    rules: [
      {
        matches: [{ method: { service: 'shop.Shop' } }],
        backendRefs: [{ name: 'shop', port: 80 }],
      },
    ],
  },
});

describeUnless(reason, 'gRPC to real pods at a shift of traffic', () => {
  const strategy = { type: 'canary' as const, route: 'shop-grpc', steps };
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop('grpc');
    const connection = readConnection(shop.stack.kubeconfigPath, shop.stack.context);
    const agent = new https.Agent();
    await callApi(connection, agent, {
      method: 'POST',
      path: `/apis/gateway.networking.k8s.io/v1/namespaces/${shop.namespace}/grpcroutes`,
      body: grpcRoute(shop.namespace),
    });
    agent.destroy();
    const { outcome } = await shop.release(shopManifests('v1'), input);
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(() => shop.close());

  const underCalls = async (work: () => Promise<void>): Promise<CallReport> => {
    const authority = `grpc.${hostOf(shop.namespace)}`;
    const url = shop.stack.gatewayUrl ?? '';
    return callWhile({ url, authority, perSecond: 210 }, work);
  };

  test('a share is given and taken back from 60 %, and no call fails', async () => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    const held = [...steps.slice(0, 1), { weightPercent: 60, forMs: 10 * minute }];
    const report = await underCalls(async () => {
      const release = await shop.start(shopManifests('v2'), {
        ...input,
        strategy: { ...strategy, steps: held },
      });
      await shop.until(release, isIn('watch at 60 %'));
      await shop.send(release, 'abort');
      expect((await shop.rig.result(release)).outcome).toBe('restored-exactly');
    });
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  });

  test('a share grows to all of it, and no call fails', async () => {
    const report = await underCalls(async () => {
      const { outcome } = await shop.release(shopManifests('v2'), { ...input, strategy });
      expect(outcome).toBe('deployed');
    });
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
  });
});
