import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState } from '../setup/release-stack.ts';
import { compareSnapshots } from './checker/compare.ts';
import {
  takeSnapshot,
  takeSnapshotAtRest,
  type NamespaceSnapshot,
} from './checker/namespace-snapshot.ts';
import { startMetricsApi, type MetricsApi } from './metrics-api.ts';
import { newVersionOf } from './pod-processes.ts';
import { shopManifests } from './shop-on-real-pods.ts';
import { isIn, openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const autoscaler: KubernetesObject = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'shop' },
  spec: {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    minReplicas: 2,
    maxReplicas: 6,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '100Mi' } },
      },
    ],
    // Numbers follow the load at once, so that each step of a release can be given a change.
    behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
  },
};

const input = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 10 * minute, maxFailureRatio: 0.01, requestsPerSecond: 50 },
  versionHeader: 'X-Version',
};
const retainMs = 10 * minute;
const ladder = {
  type: 'blue-green' as const,
  route: 'shop',
  steps: [
    { weightPercent: 10, forMs: 10 * minute },
    { weightPercent: 50, forMs: 10 * minute },
  ],
  retainMs,
};

const autoscaled = (version: 'v1' | 'v2'): KubernetesObject[] => [
  ...shopManifests(version),
  autoscaler,
];

/** Numbers of pods belong to the autoscaler; everything else must be as it was. */
const withoutNumbers = ({ objects, uids }: NamespaceSnapshot): NamespaceSnapshot => ({
  uids,
  objects: new Map(
    [...objects].flatMap(([name, object]) => {
      if (name.startsWith('Pods ')) return [];
      if (!/^(Deployment|ReplicaSet)\//.test(name)) return [[name, object]];
      const { spec, metadata, ...rest } = object as Record<string, Record<string, unknown>>;
      const { replicas: _byAutoscaler, ...kept } = spec ?? {};
      return [[name, { ...rest, metadata, spec: kept }]];
    }),
  ),
});

describeUnless(reason, 'a release of a service that a real autoscaler scales meanwhile', () => {
  let shop: Shop;
  let metrics: MetricsApi;

  beforeAll(async () => {
    shop = await openShop('autoscaled');
    metrics = await startMetricsApi(shop);
    metrics.load('shop', 280);
    const { outcome } = await shop.release(autoscaled('v1'), { smoke: input.smoke });
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(async () => {
    await metrics.close();
    await shop.close();
  });

  const replicasOf = async (name: string): Promise<unknown> => {
    const path = `/apis/apps/v1/namespaces/${shop.namespace}/deployments/${name}`;
    const { replicas } = (await shop.get(path))['spec'] as { replicas: number };
    return replicas;
  };

  /** Waits until the autoscaler has given the Deployment this many pods. */
  const scaledTo = async (name: string, replicas: number): Promise<void> => {
    while ((await replicasOf(name)) !== replicas) await delay(200);
  };

  /** The autoscalers of both versions have decided again. */
  const decidedAgain = async (): Promise<void> => {
    const from = metrics.answers.length;
    const asked = (): number => metrics.answers.length - from;
    while (asked() < 4) await delay(200);
  };

  const greenOf = async (): Promise<string> => {
    const green = await newVersionOf(shop);
    if (green === undefined) throw new Error('the new version is not there');
    return green;
  };

  /** The load of each step changes while the release is in it. */
  const forwardWithChanges = async (release: string): Promise<void> => {
    await shop.until(release, isIn('watch at 10 %'));
    const green = await greenOf();
    metrics.load('shop', 380);
    await scaledTo('shop', 4);
    await shop.send(release, 'promote');
    await shop.until(release, isIn('watch at 50 %'));
    metrics.load(green, 380);
    await scaledTo(green, 4);
    await shop.send(release, 'promote');
    await shop.until(release, isIn('bake'));
    metrics.load('shop', 10);
    metrics.load(green, 480);
    await scaledTo(green, 5);
    await shop.send(release, 'promote');
    await shop.until(release, isIn('retain'));
    metrics.load(green, 580);
    await scaledTo(green, 6);
    await decidedAgain();
    // Without traffic its autoscaler would take pods away, but all of it may come back.
    expect(await replicasOf('shop')).toBe(4);
    await shop.send(release, 'promote');
    await shop.until(release, isIn('roll out Deployment/shop'));
    metrics.load('shop', 480);
  };

  test(
    'I-11 it scales at every step and while the old version is kept: nothing sticks, nothing is put back',
    async () => {
      const { value: result, report } = await shop.underTraffic(async () => {
        const release = await shop.start(autoscaled('v2'), { ...input, strategy: ladder });
        await forwardWithChanges(release);
        return shop.rig.result(release);
      });
      expect(result.outcome).toBe('deployed');
      expect(report.failures).toEqual([]);
      // The manifests say 3, which is for its first start only.
      await scaledTo('shop', 5);
      // It decides for itself again, in both directions.
      metrics.load('shop', 280);
      await scaledTo('shop', 3);
      // No autoscaler ever saw a pod of the other version.
      const kinds = metrics.answers.map((labels) => [...new Set(labels)]);
      expect(kinds.filter((labels) => labels.length > 1)).toEqual([]);
      expect(new Set(kinds.flat()).size).toBe(2);
    },
    10 * minute,
  );

  test(
    'I-11 given back while the old version is kept: its number of pods stays the autoscaler’s',
    async () => {
      const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
      const { value: result, report } = await shop.underTraffic(async () => {
        const strategy = { type: 'blue-green', retainMs };
        const release = await shop.start(autoscaled('v1'), { ...input, strategy });
        await shop.until(release, isIn('bake'));
        metrics.load('shop', 480);
        await scaledTo('shop', 5);
        await shop.send(release, 'promote');
        await shop.until(release, isIn('retain'));
        const green = await greenOf();
        metrics.load(green, 380);
        await scaledTo(green, 4);
        await shop.send(release, 'abort');
        return shop.rig.result(release);
      });
      expect(result.outcome).toBe('restored-exactly');
      expect(report.failures).toEqual([]);
      expect(await replicasOf('shop')).toBe(5);
      const after = await takeSnapshot(shop.reader, shop.namespace);
      expect(compareSnapshots(withoutNumbers(before), withoutNumbers(after))).toEqual([]);
    },
    10 * minute,
  );
});
