import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../kill/release-rig.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { hostOf, levelTwoState, startReleaseStack } from '../setup/release-stack.ts';
import { sendWhile, type RequestReport } from '../setup/steady-requests.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { routeToShop, shopManifests } from './shop-on-real-pods.ts';

const namespace = `e2e-shift-${Date.now().toString(36)}`;
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const gates = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  bake: { forMs: 2_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
  versionHeader: 'X-Version',
  stableMs: 500,
};
const switched = { type: 'blue-green' as const, retainMs: 2_000 };

/** No route: the Service sends to the pods of both versions. */
const byPods = {
  type: 'canary' as const,
  steps: [
    { weightPercent: 10, forMs: 2_000 },
    { weightPercent: 50, forMs: 2_000 },
  ],
};

type Version = 'v1' | 'v2' | 'v3b';

describeUnless(reason, 'progressive delivery on real pods under 200 requests a second', () => {
  let stack: Stack;
  let rig: ReleaseRig;
  let reader: ApiReader;
  let made = 0;

  const release = (
    version: Version,
    strategy: object,
    input: object = {},
  ): Promise<DeployServiceResult> => {
    made += 1;
    return rig.release({
      release: `${version}-${String(made)}`,
      objects: shopManifests(version),
      input: { ...gates, ...input, strategy },
    });
  };

  const underTraffic = async (
    version: Version,
    strategy: object,
    input: object = {},
  ): Promise<{ result: DeployServiceResult; report: RequestReport }> => {
    let result: DeployServiceResult | undefined;
    const target = { url: stack.gatewayUrl ?? '', host: hostOf(namespace), perSecond: 210 };
    const report = await sendWhile(target, async () => {
      result = await release(version, strategy, input);
    });
    if (result === undefined) throw new Error('the release gave no result');
    return { result, report };
  };

  beforeAll(async () => {
    stack = await startReleaseStack(2, 'e2e');
    rig = await createReleaseRig(stack, namespace);
    reader = createApiReader(stack.kubeconfigPath, stack.context);
    await routeToShop(stack, namespace);
    await release('v1', { type: 'rolling' });
  }, 30 * minute);

  afterAll(async () => {
    reader.close();
    await rig.close();
  });

  /** Everything that is in the namespace, by name; the user's own objects and no others. */
  const objectsNow = async (): Promise<string[]> => [
    ...(await takeSnapshot(reader, namespace)).objects.keys(),
  ];

  test('I-1 blue-green: the switch and the way home to the own Deployment, and no request fails', async () => {
    const before = await objectsNow();
    const { result, report } = await underTraffic('v2', switched);
    expect(result.failure).toBeUndefined();
    expect(result.outcome).toBe('deployed');
    expect(result.gates.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['preview', 'pass'],
      ['smoke', 'pass'],
      ['bake', 'pass'],
    ]);
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
    const temporary = (await objectsNow()).filter((name) => /-[0-9a-f]{6}$/.test(name));
    expect(temporary.filter((name) => !before.includes(name))).toEqual([]);
  });

  test('I-1 blue-green flip-back: a bad version is switched back, and only its own answers failed', async () => {
    const before = await takeSnapshotAtRest(reader, namespace);
    const { result, report } = await underTraffic('v3b', switched);
    expect(result).toMatchObject({
      outcome: 'restored-exactly',
      failure: { code: 'BAKE_FAILED' },
    });
    expect(new Set(report.failures)).toEqual(new Set(['HTTP 500 from version 3b']));
    expect(compareSnapshots(before, await takeSnapshot(reader, namespace))).toEqual([]);
  });

  test('I-1 a canary by the numbers of pods: each share is reached, and no request fails', async () => {
    const before = await objectsNow();
    const { result, report } = await underTraffic('v1', byPods);
    expect(result.failure).toBeUndefined();
    expect(result.outcome).toBe('deployed');
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
    const shares = (result.evidence.shares ?? []).map((share) => [
      share.weightPercent,
      share.candidatePods,
      share.stablePods,
      share.achievedPercent,
    ]);
    expect(shares).toEqual([
      [10, 1, 3, 25],
      [50, 2, 2, 50],
      [100, 3, 0, 100],
    ]);
    for (const { achievedPercent, measuredPercent = -100 } of result.evidence.shares ?? []) {
      expect(Math.abs(measuredPercent - achievedPercent)).toBeLessThan(15);
    }
    const temporary = (await objectsNow()).filter((name) => /-[0-9a-f]{6}$/.test(name));
    expect(temporary.filter((name) => !before.includes(name))).toEqual([]);
  });
});
