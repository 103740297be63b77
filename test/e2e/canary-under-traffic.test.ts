import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState } from '../setup/release-stack.ts';
import type { RequestReport } from '../setup/steady-requests.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { shopManifests } from './shop-on-real-pods.ts';
import { isIn, openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const input = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 1_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
  versionHeader: 'X-Version',
};
const canary = {
  type: 'canary' as const,
  route: 'shop',
  steps: [
    { weightPercent: 20, forMs: 1_500 },
    { weightPercent: 60, forMs: 1_500 },
  ],
};
const ladder = { ...canary, type: 'blue-green' as const, retainMs: 10 * minute };
const switched = { type: 'blue-green' as const, retainMs: 10 * minute };

/** The manifests of a version with another number of pods and another configuration. */
const resized = (version: 'v1' | 'v2', replicas: number, greeting: string): KubernetesObject[] =>
  shopManifests(version).map((object) => {
    if (object.kind === 'ConfigMap') return { ...object, data: { SHOP_GREETING: greeting } };
    if (object.kind !== 'Deployment') return object;
    return { ...object, spec: { ...(object['spec'] as object), replicas } };
  });

const expectUnnoticed = ({ failures, sent, newConnections }: RequestReport): void => {
  expect(failures).toEqual([]);
  expect(newConnections).toBeGreaterThanOrEqual(Math.floor(sent / 2));
  expect(sent - newConnections).toBeGreaterThanOrEqual(Math.floor(sent / 2));
};

describeUnless(reason, 'a share of the traffic of real users, there and back', () => {
  let shop: Shop;

  beforeAll(async () => {
    shop = await openShop('canary');
    const { outcome } = await shop.release(shopManifests('v1'), input);
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(() => shop.close());

  /** Version 2 is taken as far as this stage under traffic, and aborted there. */
  const abortedIn = async (
    stage: string,
    strategy: object,
  ): Promise<{ value: DeployServiceResult; report: RequestReport }> => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    const ended = await shop.underTraffic(async () => {
      const release = await shop.start(shopManifests('v2'), { ...input, strategy });
      await shop.until(release, isIn(stage));
      await shop.send(release, 'abort');
      return shop.rig.result(release);
    });
    expect(ended.value.outcome).toBe('restored-exactly');
    expect(Object.keys(ended.report.byVersion).sort()).toEqual(['1', '2']);
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
    return ended;
  };

  test('I-1 canary down: taken back from 60 % and no request fails', async () => {
    const steps = [...canary.steps.slice(0, 1), { weightPercent: 60, forMs: 10 * minute }];
    const { report } = await abortedIn('watch at 60 %', { ...canary, steps });
    expectUnnoticed(report);
  });

  test('I-1 blue-green flip-back: given back while the old version is kept, and no request fails', async () => {
    const { report } = await abortedIn('retain', switched);
    expectUnnoticed(report);
  });

  test('I-1 ladder down: given back from all the traffic, and no request fails', async () => {
    const { report } = await abortedIn('retain', ladder);
    expectUnnoticed(report);
  });

  test('I-1 canary up: 20 %, 60 %, all, and no request fails', async () => {
    const { value, report } = await shop.underTraffic(() =>
      shop.release(shopManifests('v2'), { ...input, strategy: canary }),
    );
    expect(value.outcome).toBe('deployed');
    expect(value.gates.map(({ verdict }) => verdict)).toEqual(value.gates.map(() => 'pass'));
    expectUnnoticed(report);
  });

  test.each([
    ['blue-green', 4, { ...switched, retainMs: 0 }],
    ['canary', 3, canary],
    ['rolling', 4, { type: 'rolling' as const }],
  ])(
    'I-12 replicas, template and configuration in one release, %s: all of it arrives, no request fails',
    async (name, replicas, strategy) => {
      const objects = resized(name === 'canary' ? 'v2' : 'v1', replicas, `By ${name}`);
      const { value, report } = await shop.underTraffic(() =>
        shop.release(objects, { ...input, strategy }),
      );
      expect(value.outcome).toBe('deployed');
      expect(new Set(value.proof.rows.map(({ verdict }) => verdict))).toEqual(new Set(['exact']));
      expectUnnoticed(report);
      const { objects: live } = await takeSnapshot(shop.reader, shop.namespace);
      const deployment = live.get('Deployment/shop');
      expect(deployment).toMatchObject({ spec: { replicas } });
      const text = JSON.stringify([...live.values()]);
      expect(text).toContain(`"SHOP_GREETING":"By ${name}"`);
      const image = `localhost/shop:${name === 'canary' ? '2' : '1'}`;
      expect(JSON.stringify(deployment)).toContain(`"${image}"`);
      const pods = [...live].filter(([key]) => key.startsWith('Pods of ReplicaSet/'));
      expect(
        pods.filter(([key]) => key.includes(image) && !key.includes('(ending)')),
      ).toMatchObject([[expect.any(String), { count: replicas }]]);
    },
  );
});
