import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../kill/release-rig.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { hostOf, levelTwoState, startReleaseStack } from '../setup/release-stack.ts';
import { ask, sendWhile, type RequestReport } from '../setup/steady-requests.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import {
  describeIgnoreList,
  takeSnapshot,
  takeSnapshotAtRest,
} from './checker/namespace-snapshot.ts';
import { routeToShop, shopManifests } from './shop-on-real-pods.ts';

// A sandbox that was left running has the namespaces of earlier runs.
const namespace = `e2e-shop-${Date.now().toString(36)}`;
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const gates = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 4_000, maxFailureRatio: 0.01, requestsPerSecond: 50 },
};

describeUnless(reason, 'deployService on real pods under 200 requests a second', () => {
  let stack: Stack;
  let rig: ReleaseRig;
  let reader: ApiReader;

  const release = (version: 'v1' | 'v2' | 'v3a' | 'v3b'): Promise<DeployServiceResult> =>
    rig.release({ release: version, objects: shopManifests(version), input: gates });

  const underTraffic = async (
    work: () => Promise<DeployServiceResult>,
  ): Promise<{ result: DeployServiceResult; report: RequestReport }> => {
    let result: DeployServiceResult | undefined;
    const target = { url: stack.gatewayUrl ?? '', host: hostOf(namespace), perSecond: 210 };
    const report = await sendWhile(target, async () => {
      result = await work();
    });
    if (result === undefined) throw new Error('the release gave no result');
    return { result, report };
  };

  beforeAll(async () => {
    stack = await startReleaseStack(2, 'e2e');
    rig = await createReleaseRig(stack, namespace);
    reader = createApiReader(stack.kubeconfigPath, stack.context);
    await routeToShop(stack, namespace);
  }, 30 * minute);

  afterAll(async () => {
    reader.close();
    await rig.close();
  });

  test('version 1: a first deployment is smoke-tested and baked before it counts', async () => {
    const result = await release('v1');
    expect(result.outcome).toBe('deployed');
    expect(result.gates.map((gate) => [gate.name, gate.verdict])).toEqual([
      ['smoke', 'pass'],
      ['bake', 'pass'],
    ]);
  });

  test('I-1 rolling: version 2 rolls out and no request fails', async () => {
    const { result, report } = await underTraffic(() => release('v2'));
    expect(result.outcome).toBe('deployed');
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
  });

  test('I-1 rolling back: version 3a never becomes ready, is put back exactly, and no request fails', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    const { result, report } = await underTraffic(() => release('v3a'));
    expect(result.outcome).toBe('restored-exactly');
    expect(result.failure?.message).toContain('price list');
    expect(report.failures).toEqual([]);
    expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
  });

  test('version 3b: answers errors, is found in the bake and put back exactly', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    const { result, report } = await underTraffic(() => release('v3b'));
    expect(result.outcome).toBe('restored-exactly');
    expect(result.failure?.code).toBe('BAKE_FAILED');
    expect(report.failures.length).toBeGreaterThan(0);
    expect(new Set(report.failures)).toEqual(new Set(['HTTP 500 from version 3b']));
    expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
    const answer = await ask(stack.gatewayUrl ?? '', { host: hostOf(namespace) });
    expect(answer).toEqual({ status: 200, version: '2' });
  });

  test('the checker sees a leftover object and a changed field', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    const changed = { objects: new Map(before.objects), uids: before.uids };
    changed.objects.set('ConfigMap/left-behind', {});
    changed.objects.set('Service/shop', {});
    expect(
      compareSnapshots(before, changed).map(({ object, verdict }) => [object, verdict]),
    ).toEqual([
      ['Service/shop', 'changed'],
      ['ConfigMap/left-behind', 'leftover'],
    ]);
    expect(describeIgnoreList().length).toBeGreaterThan(0);
  });
});
