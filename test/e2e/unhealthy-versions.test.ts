import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Notification } from '../../activities/notify/port.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import type { AuditedWrite } from '../kill/audit-log.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { levelTwoState } from '../setup/release-stack.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { containersOf, freeze, keepCrashing, newVersionOf, servedBy } from './pod-processes.ts';
import { shopManifests } from './shop-on-real-pods.ts';
import { isIn, openShop, type Shop } from './shop-under-traffic.ts';

const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

const bake = { forMs: 60_000, maxFailureRatio: 0.01, requestsPerSecond: 200 };
const input = { smoke: [{ path: '/healthz', expectStatus: 200 }], versionHeader: 'X-Version' };
const switched = { type: 'blue-green' as const, retainMs: 10 * minute };

describeUnless(reason, 'versions that break down after the promotion', () => {
  let shop: Shop;
  let pager: Server;
  const pages: Notification[] = [];

  beforeAll(async () => {
    pager = createServer((request, response) => {
      void json(request).then((page) => {
        pages.push(page as Notification);
        response.end();
      });
    }).listen(0, '127.0.0.1');
    shop = await openShop('unhealthy');
    const { outcome } = await shop.release(shopManifests('v1'), { ...input });
    expect(outcome).toBe('deployed');
  }, 30 * minute);

  afterAll(async () => {
    pager.close();
    await shop.close();
  });

  const notify = () => {
    const { port } = pager.address() as AddressInfo;
    return [{ webhook: `http://127.0.0.1:${String(port)}/` }];
  };

  /** Version 2 has all traffic and stands at this stage. */
  const promotedTo = async (stage: string, more: object): Promise<[string, string]> => {
    const objects = shopManifests('v2');
    const release = await shop.start(objects, {
      ...input,
      strategy: switched,
      notify: notify(),
      ...more,
    });
    await shop.until(release, isIn(stage));
    const green = await newVersionOf(shop);
    if (green === undefined) throw new Error('the new version is not there');
    expect(await servedBy(shop)).toBe(green);
    return [release, green];
  };

  const writesAfter = async (count: number): Promise<AuditedWrite[]> =>
    (await shop.rig.writes()).slice(count);

  const isDown = async (label: string): Promise<boolean> => {
    const containers = await containersOf(shop, label);
    return containers.length > 0 && containers.every(({ ready }) => !ready);
  };

  const untilSo = async (isSo: () => Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await delay(100);
  };

  const firstWriteBack = { activityType: 'releases.revert', object: 'v1/services/shop' };

  test('I-15 every new pod crash-loops after the promotion: the window in which it shows is the last one', async () => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    const [release, green] = await promotedTo('bake', { bake });
    const written = (await shop.rig.writes()).length;
    const crash = keepCrashing(shop, green);
    const result = await shop.rig.result(release);
    await crash.stop();
    expect(result).toMatchObject({ outcome: 'restored-exactly', failedStep: 'bake' });
    expect((await writesAfter(written))[0]).toMatchObject(firstWriteBack);
    const handle = shop.rig.client.workflow.getHandle(shop.rig.workflowId(release));
    const { events } = await handle.fetchHistory();
    const called = (events ?? []).map(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name,
    );
    const windows = called.filter((name) => name === 'probes.watch');
    expect(windows).toHaveLength(1);
    expect(await servedBy(shop)).toBe('shop');
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
    expect(pages.filter(({ event }) => event === 'incident.open')).toMatchObject([{ release }]);
  });

  test('I-15 every new pod crash-loops while the old version is kept: abort asks none of them', async () => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    const [release, green] = await promotedTo('retain', {});
    const crash = keepCrashing(shop, green);
    await untilSo(async () => {
      const containers = await containersOf(shop, green);
      return containers.every(({ state }) => state.waiting?.reason === 'CrashLoopBackOff');
    });
    const written = (await shop.rig.writes()).length;
    await shop.send(release, 'abort');
    await untilSo(async () => (await servedBy(shop)) === 'shop');
    // From here on the users must not notice that the new version is still being taken away.
    const { value: result, report } = await shop.underTraffic(() => shop.rig.result(release));
    await crash.stop();
    expect(result.outcome).toBe('restored-exactly');
    expect((await writesAfter(written))[0]).toMatchObject(firstWriteBack);
    expect(Object.keys(report.byVersion)).not.toContain('2');
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  });

  test('I-6 both versions are unhealthy: it holds, pages, and gives no traffic to nobody', async () => {
    const before = await takeSnapshotAtRest(shop.reader, shop.namespace);
    pages.length = 0;
    const [release, green] = await promotedTo('bake', { bake, compensationDeadlineMs: 2_000 });
    const blue = freeze(shop, 'shop');
    await untilSo(() => isDown('shop'));
    const written = (await shop.rig.writes()).length;
    const crash = keepCrashing(shop, green);
    const held = await shop.until(release, ({ status }) => status === 'needs-operator');
    expect(held.waitingFor?.verbs).toEqual(['retryCompensation', 'skip', 'abort']);
    expect(await servedBy(shop)).toBe(green);
    expect(await writesAfter(written)).toEqual([]);
    await untilSo(() => Promise.resolve(pages.some(({ event }) => event === 'needs-operator')));
    await blue.thaw();
    await untilSo(async () => !(await isDown('shop')));
    await shop.send(release, 'retryCompensation');
    const result = await shop.rig.result(release);
    await crash.stop();
    expect(result.outcome).toBe('restored-exactly');
    const { report } = await shop.underTraffic(() => delay(2_000));
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.byVersion)).toEqual(['1']);
    expect(compareSnapshots(before, await takeSnapshot(shop.reader, shop.namespace))).toEqual([]);
  });

  test('I-6 a new version that broke down at its first share gets no more of it', async () => {
    const strategy = {
      type: 'canary' as const,
      route: 'shop',
      steps: [
        { weightPercent: 10, forMs: 10 * minute },
        { weightPercent: 50, forMs: 1_000 },
      ],
    };
    // Else the watch itself ends at once; here the shift has to see that nothing is ready.
    const blind = { ...bake, maxFailureRatio: 1 };
    const release = await shop.start(shopManifests('v2'), { ...input, bake: blind, strategy });
    await shop.until(release, isIn('watch at 10 %'));
    const green = (await newVersionOf(shop)) ?? '';
    const blueDown = freeze(shop, 'shop');
    const crash = keepCrashing(shop, green);
    await untilSo(async () => (await isDown(green)) && (await isDown('shop')));
    await shop.send(release, 'promote');
    const weights = async (): Promise<number[] | undefined> => {
      const routes = `/apis/gateway.networking.k8s.io/v1/namespaces/${shop.namespace}/httproutes`;
      const { rules } = (await shop.get(`${routes}/shop`))['spec'] as {
        rules: { backendRefs: { weight: number }[] }[];
      };
      return rules[0]?.backendRefs.map(({ weight }) => weight);
    };
    await shop.until(release, ({ status }) => status === 'unwinding');
    expect(await weights()).toEqual([90, 10]);
    await blueDown.thaw();
    await crash.stop();
    const shares: number[] = [];
    await untilSo(async () => {
      shares.push((await weights())?.[1] ?? 0);
      return shares.at(-1) === 0;
    });
    // There and back: nothing in between.
    expect(Math.max(...shares)).toBeLessThanOrEqual(10);
    expect((await shop.rig.result(release)).outcome).toBe('restored-exactly');
  });
});
