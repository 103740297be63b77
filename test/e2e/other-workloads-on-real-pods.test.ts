import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState } from '../setup/release-stack.ts';
import type { RequestReport } from '../setup/steady-requests.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { shopManifests, type ShopVersion } from './shop-on-real-pods.ts';
import { openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const input = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 1_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
  versionHeader: 'X-Version',
};

type Kind = 'StatefulSet' | 'DaemonSet';

const specOf: Record<Kind, object> = {
  StatefulSet: { serviceName: 'shop', replicas: 2 },
  // A node has one pod of it: without a second beside it nobody would serve meanwhile.
  DaemonSet: {
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  },
};

/** The shop, run by another kind of workload. */
const shopAs = (kind: Kind, version: ShopVersion): KubernetesObject[] =>
  shopManifests(version)
    .filter(({ kind: found }) => found !== 'PodDisruptionBudget')
    .map((object) => {
      if (object.kind !== 'Deployment') return object;
      const { selector, template } = object['spec'] as Record<'selector' | 'template', object>;
      return { ...object, kind, spec: { selector, template, ...specOf[kind] } };
    });

const versionsIn = ({ byVersion }: RequestReport): string[] => Object.keys(byVersion).sort();

/** Images of the pods that are there, each once. */
const imagesOf = async (shop: Shop): Promise<string[]> => {
  const pods = await shop.list(`/api/v1/namespaces/${shop.namespace}/pods`);
  const images = pods.flatMap(({ spec }) =>
    (spec as { containers: { image: string }[] }).containers.map(({ image }) => image),
  );
  return [...new Set(images)];
};

/** Level 1 has every end of both kinds; unless all are asked for, each has one of them here. */
const isLong = process.env['HOLDFAST_LONG'] === '1';

for (const kind of ['StatefulSet', 'DaemonSet'] as const) {
  describeUnless(reason, `a ${kind} of real pods under traffic`, () => {
    let shop: Shop;

    beforeAll(async () => {
      shop = await openShop(kind.toLowerCase());
      const { outcome, failure } = await shop.release(shopAs(kind, 'v1'), input);
      expect(failure).toBeUndefined();
      expect(outcome).toBe('deployed');
    }, 30 * minute);

    afterAll(() => shop.close());

    const putBack = async (version: ShopVersion, more: object) => {
      const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
      const ended = await shop.underTraffic(() =>
        shop.release(shopAs(kind, version), { ...input, ...more }),
      );
      expect(ended.value.outcome).toBe('restored-exactly');
      expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
      return ended;
    };

    const neverReady = async (): Promise<void> => {
      const { value, report } = await putBack('v3a', { deadlineMs: 12_000 });
      expect(value.failedStep).toBe(`roll out ${kind}/shop`);
      expect(report.failures).toEqual([]);
      expect(versionsIn(report)).toEqual(['1']);
    };

    const answersErrors = async (): Promise<void> => {
      const { value, report } = await putBack('v3b', {});
      expect(value.failedStep).toBe('bake');
      expect(new Set(report.failures)).toEqual(new Set(['HTTP 500 from version 3b']));
    };

    if (isLong || kind === 'StatefulSet') {
      test('a version that never becomes ready is put back, and no request fails', neverReady);
    }
    if (isLong || kind === 'DaemonSet') {
      test('a version that answers errors is found in the bake and put back', answersErrors);
    }

    test('the next version comes, and no request fails', async () => {
      const { value, report } = await shop.underTraffic(() =>
        shop.release(shopAs(kind, 'v2'), input),
      );
      expect(value.outcome).toBe('deployed');
      expect(report.failures).toEqual([]);
      expect(versionsIn(report)).toEqual(['1', '2']);
      expect(await imagesOf(shop)).toEqual(['localhost/shop:2']);
    });
  });
}

describeUnless(reason, 'a Deployment of real pods that is recreated under traffic', () => {
  const strategy = { type: 'recreate' as const };
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop('recreate');
    const { outcome } = await shop.release(shopManifests('v1'), input);
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(() => shop.close());

  /** Looks at the pods again and again while the release runs. */
  const imagesDuring = async (
    version: ShopVersion,
  ): Promise<{ outcome: string; seen: string[] }> => {
    const seen = new Set<string>();
    const running = shop.release(shopManifests(version), {
      ...input,
      strategy,
      deadlineMs: 30_000,
    });
    const ended = running.then(() => true);
    while (!(await Promise.race([ended, delay(50, false)]))) {
      seen.add((await imagesOf(shop)).sort().join(' and '));
    }
    return { outcome: (await running).outcome, seen: [...seen] };
  };

  test('the old and the new version are never there together', async () => {
    const { outcome, seen } = await imagesDuring('v2');
    expect(outcome).toBe('deployed');
    expect(seen.sort()).toEqual(['', 'localhost/shop:1', 'localhost/shop:2']);
  });

  if (isLong) {
    test('a version that never becomes ready goes before the old one comes back', async () => {
      const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
      const { outcome, seen } = await imagesDuring('v3a');
      expect(outcome).toBe('restored-exactly');
      expect(seen.sort()).toEqual(['', 'localhost/shop:2', 'localhost/shop:3a']);
      expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
    });
  }
});
