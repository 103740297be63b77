import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Notification } from '../../activities/notify/port.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState } from '../setup/release-stack.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { keepCrashing, newVersionOf } from './pod-processes.ts';
import { shopManifests } from './shop-on-real-pods.ts';
import { isIn, openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

/** The ladder of the requirement; ten minutes are three seconds here, and the hour is four. */
const strategy = {
  type: 'blue-green' as const,
  route: 'shop',
  steps: [
    { weightPercent: 10, forMs: 3_000 },
    { weightPercent: 50, forMs: 3_000 },
  ],
  retainMs: 4_000,
};
const gates = {
  smoke: [
    { path: '/healthz', expectStatus: 200 },
    { path: '/config', expectStatus: 200, expectBody: '"tokenIsSet":true' },
  ],
  bake: { forMs: 3_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
  versionHeader: 'X-Version',
  stableMs: 1_000,
};

/** People who send it see the new version before any user does. */
const previewHeader = { name: 'X-Preview', value: 'next' };

describeUnless(reason, 'requirement 000 UC3 on real pods, with shortened times', () => {
  let shop: Shop;
  let receiver: Server;
  const told: Notification[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      void json(request).then((notification) => {
        told.push(notification as Notification);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    shop = await openShop('production');
    const { outcome } = await shop.release(shopManifests('v1'), { ...gates });
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(async () => {
    receiver.close();
    await shop.close();
  });

  const input = () => {
    const { port } = receiver.address() as AddressInfo;
    return { ...gates, strategy, notify: [{ webhook: `http://127.0.0.1:${String(port)}/` }] };
  };

  const eventsOf = (release: string): string[] =>
    told.filter((one) => one.release === release).map(({ event }) => event);

  const expectIncident = (release: string, failedStep: unknown, code: string): void => {
    const incidents = told.filter((one) => one.release === release && one.incident !== undefined);
    expect(incidents).toMatchObject([
      { event: 'incident.open', incident: { failedStep, code, outcome: 'restored-exactly' } },
    ]);
    expect(eventsOf(release)).toContain('restored');
  };

  /** A1: the new version fails before it gets traffic; no user ever meets it. */
  const failsAtStep5 = async (): Promise<void> => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    let release = '';
    const { value, report } = await shop.underTraffic(async () => {
      release = await shop.start(shopManifests('v3a'), input());
      return shop.rig.result(release);
    });
    expect(value.outcome).toBe('restored-exactly');
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion)).toEqual(['1']);
    // The investigation starts from what was kept: why it was not ready, and its log.
    expect(value.failure?.message).toContain('price list');
    expect(value.evidence.logsDigest).toBeDefined();
    expectIncident(release, value.failedStep, value.failure?.code ?? '');
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  };

  /** A2 while a tenth of the traffic is watched. */
  const failsAtStep6 = async (): Promise<void> => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    let release = '';
    const { value, report } = await shop.underTraffic(async () => {
      release = await shop.start(shopManifests('v3b'), input());
      return shop.rig.result(release);
    });
    expect(value).toMatchObject({ outcome: 'restored-exactly', failedStep: 'watch at 10 %' });
    expect(new Set(report.failures)).toEqual(new Set(['HTTP 500 from version 3b']));
    expect(report.failures.length).toBeLessThan(report.sent / 5);
    expectIncident(release, 'watch at 10 %', 'BAKE_FAILED');
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  };

  /** A2 while all of the traffic is watched. */
  const failsAtStep8 = async (): Promise<void> => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    const release = await shop.start(shopManifests('v2'), {
      ...input(),
      bake: { ...gates.bake, forMs: minute },
    });
    await shop.until(release, isIn('bake'));
    const crash = keepCrashing(shop, (await newVersionOf(shop)) ?? '');
    const result = await shop.rig.result(release);
    await crash.stop();
    expect(result).toMatchObject({ outcome: 'restored-exactly', failedStep: 'bake' });
    expectIncident(release, 'bake', 'BAKE_FAILED');
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  };

  /** Steps 5 to 8 and 10. */
  const succeeds = async (): Promise<void> => {
    const isTemporary = (name: string): boolean => /shop-[0-9a-f]{6}$/.test(name);
    let kept: unknown;
    let release = '';
    const { value, report } = await shop.underTraffic(async () => {
      release = await shop.start(shopManifests('v2'), { ...input(), previewHeader });
      await shop.until(release, isIn('retain'));
      kept = await shop.get(`/apis/apps/v1/namespaces/${shop.namespace}/deployments/shop`);
      return shop.rig.result(release);
    });
    expect(value.outcome).toBe('deployed');
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion).sort()).toEqual(['1', '2']);
    expect(value.gates.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['preview', 'pass'],
      ['preview by header', 'pass'],
      ['watch at 10 %', 'pass'],
      ['watch at 50 %', 'pass'],
      ['smoke', 'pass'],
      ['bake', 'pass'],
    ]);
    const { stages } = await shop.until(release, ({ status }) => status === 'finished');
    const startOf = (stage: string): number =>
      stages.find(({ name }) => name === stage)?.startedAtMs ?? Number.NaN;
    // Step 5 is over before step 6 begins, and so on: nothing is measured too late.
    const order = ['preview', 'shift to 10 %', 'shift to 50 %', 'shift to 100 %', 'smoke', 'bake'];
    const starts = [...order, 'retain', 'patch Deployment/shop'].map(startOf);
    expect(starts).toEqual(starts.toSorted((one, other) => one - other));
    // Step 10: blue was kept as it was, at full size; then it was shut down.
    expect(kept).toMatchObject({ spec: { replicas: 3 }, status: { readyReplicas: 3 } });
    expect(JSON.stringify(kept)).toContain('"localhost/shop:1"');
    const { objects } = await takeSnapshot(shop.reader, shop.namespace);
    expect([...objects.keys()].filter(isTemporary)).toEqual([]);
    expect(eventsOf(release)).toEqual(expect.arrayContaining(['started', 'retaining', 'deployed']));
    expect(eventsOf(release)).not.toContain('incident.open');
  };

  test(
    'UC3 steps 5–8 and 10, A1 and A2: whatever happens, users get the old version or the new one',
    async () => {
      await failsAtStep5();
      await failsAtStep6();
      await failsAtStep8();
      await succeeds();
    },
    10 * minute,
  );
});
