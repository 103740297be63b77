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

// A sandbox that was left running has the namespaces of earlier runs.
const namespace = `kill-shop-${Date.now().toString(36)}`;
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

/** The manifests of version 1 or 2 with something new in every object. */
const manifests = (release: number, image = `localhost/shop:${String(1 + (release % 2))}`) => {
  const labelled = (object: KubernetesObject): object => ({
    metadata: { ...object.metadata, labels: { release: String(release) } },
  });
  const changes: Record<string, (object: KubernetesObject) => object> = {
    ConfigMap: () => ({ data: { SHOP_GREETING: `Welcome number ${String(release)}` } }),
    Secret: () => ({ stringData: { token: `token-${String(release)}` } }),
    PodDisruptionBudget: labelled,
    Service: labelled,
  };
  const text = JSON.stringify(shopManifests('v1')).replaceAll('localhost/shop:1', image);
  return (JSON.parse(text) as KubernetesObject[]).map((object) => ({
    ...object,
    ...changes[object.kind]?.(object),
  }));
};

/** Fails within seconds and is put back. */
const imageThatNobodyHas = 'localhost/shop:none';

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
    await rig.release({ release: 'base', objects: manifests(0) });
  }, 30 * minute);

  afterAll(async () => {
    reader.close();
    await rig.close();
  });

  const release = async (image?: string): Promise<string> => {
    releases += 1;
    const objects = manifests(releases, image);
    const result = await rig.release({ release: `r${String(releases)}`, objects });
    return result.outcome;
  };

  /** Plays the release once without a fault and answers its write points. */
  const learn = async (image?: string): Promise<WritePoint[]> => {
    const points: WritePoint[] = [];
    const number = createPointCounter();
    rig.proxy.decide = (request) => {
      if (request.mutating) points.push(number(pointOfRequest(request)));
      return { kind: 'forward' };
    };
    await release(image);
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
      const updatePoints = await learn();
      const undoPoints = await learn(imageThatNobodyHas);
      // The writes before the failure are those of an update, which are hit below; two are kept.
      const isLong = process.env['HOLDFAST_LONG'] === '1';
      const firstBack = undoPoints.findIndex((point) => point.includes('releases.revert'));
      const firstUndo = isLong ? 0 : Math.max(0, firstBack - 2);
      expect(updatePoints.length + undoPoints.length - firstUndo).toBeGreaterThanOrEqual(12);

      const report = await sendWhile(target(), async () => {
        const before = await takeSnapshot(reader, namespace);
        for (const index of undoPoints.keys()) {
          if (index < firstUndo) continue;
          const fault = killAt(index);
          expect(await release(imageThatNobodyHas)).toBe('restored-exactly');
          expect(fault.wasHit()).toBe(true);
          expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
        }
        for (const index of updatePoints.keys()) {
          const fault = killAt(index);
          expect(await release()).toBe('deployed');
          expect(fault.wasHit()).toBe(true);
        }
      });
      expect(report.failures).toEqual([]);
      expect(repeatedEffects(await rig.writes())).toEqual([]);
    },
    15 * minute,
  );
});
