import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { repeatedEffects } from '../kill/audit-log.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../kill/release-rig.ts';
import { createPointCounter, pointOfRequest, type WritePoint } from '../kill/write-points.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { hostOf, levelTwoState, startReleaseStack } from '../setup/release-stack.ts';
import { sendWhile } from '../setup/steady-requests.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot } from './checker/namespace-snapshot.ts';
import { routeToShop, shopManifests } from './shop-on-real-pods.ts';

const namespace = 'kill-shop';
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

/** Version 2 with an image that nobody has: fails within seconds and is put back. */
const withoutImage = (): KubernetesObject[] =>
  JSON.parse(
    JSON.stringify(shopManifests('v2')).replaceAll('localhost/shop:2', 'localhost/shop:none'),
  ) as KubernetesObject[];

describeUnless(reason, 'a worker killed at a write, with real pods under load', () => {
  let stack: Stack;
  let rig: ReleaseRig;
  let reader: ApiReader;
  let releases = 0;

  beforeAll(async () => {
    stack = await startReleaseStack(2, 'e2e');
    rig = await createReleaseRig(stack, namespace);
    reader = createApiReader(stack.kubeconfigPath, stack.context);
    await routeToShop(stack, namespace);
    await rig.release({ release: 'base', objects: shopManifests('v2') });
  }, 30 * minute);

  afterAll(async () => {
    reader.close();
    await rig.close();
  }, minute);

  const release = async (objects: KubernetesObject[]): Promise<string> => {
    releases += 1;
    const result = await rig.release({ release: `r${String(releases)}`, objects });
    return result.outcome;
  };

  /** Plays the release once without a fault and answers its write points. */
  const learn = async (objects: KubernetesObject[]): Promise<WritePoint[]> => {
    const points: WritePoint[] = [];
    const number = createPointCounter();
    rig.proxy.decide = (request) => {
      if (request.mutating) points.push(number(pointOfRequest(request)));
      return { kind: 'forward' };
    };
    await release(objects);
    return points;
  };

  /** Kills the worker at the n-th write: before it when n is even, after it when n is odd. */
  const killAt = (index: number): { wasHit: () => boolean } => {
    let seen = -1;
    rig.proxy.decide = (request) => {
      if (request.mutating) seen += 1;
      if (!request.mutating || seen !== index) return { kind: 'forward' };
      const meanwhile = (): void => {
        rig.worker.crash();
      };
      return index % 2 === 0
        ? { kind: 'lose-before', meanwhile }
        : { kind: 'lose-after', meanwhile };
    };
    return { wasHit: () => seen >= index };
  };

  const target = (): { url: string; host: string; perSecond: number } => ({
    url: stack.gatewayUrl ?? '',
    host: hostOf(namespace),
    perSecond: 210,
  });

  test(
    'at every write of an update and of an undo: the same end, and no request fails',
    async () => {
      const v1Points = await learn(shopManifests('v1'));
      const undoPoints = await learn(withoutImage());
      expect(v1Points.length + undoPoints.length).toBeGreaterThanOrEqual(12);
      const before = await takeSnapshot(reader, namespace);

      const report = await sendWhile(target(), async () => {
        for (const index of undoPoints.keys()) {
          const fault = killAt(index);
          expect(await release(withoutImage())).toBe('restored-exactly');
          expect(fault.wasHit()).toBe(true);
          expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
        }
        for (const index of v1Points.keys()) {
          const fault = killAt(index);
          expect(await release(shopManifests(index % 2 === 0 ? 'v2' : 'v1'))).toBe('deployed');
          expect(fault.wasHit()).toBe(true);
        }
      });
      expect(report.failures).toEqual([]);
      expect(repeatedEffects(await rig.writes())).toEqual([]);
    },
    10 * minute,
  );
});
