import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RolloutStrategy } from '../../../domain/delivery/rollout-plan.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { candidateOf, createCandidateDriver } from '../../conformance/candidate-driver.ts';
import { levelOneSandbox } from './level-one.ts';
import { retried, spoilOnce } from './lost-answers.ts';
import { installRoutes } from './played-gateway.ts';
import { openProxiedSite, type ProxiedSite } from './proxied-site.ts';
import { sandboxApi } from './real-site.ts';

let sandbox: Sandbox;
let site: ProxiedSite;
const sites: ProxiedSite[] = [];

beforeAll(async () => {
  sandbox = await levelOneSandbox();
  await installRoutes(await sandboxApi(sandbox));
});

beforeEach(async () => {
  site = await openProxiedSite(sandbox);
  sites.push(site);
});

afterAll(async () => {
  await Promise.all(sites.map(async (open) => open.close()));
});

const strategies: [string, RolloutStrategy][] = [
  ['Services', { type: 'blue-green', steps: [], retainMs: 0 }],
  ['a route', { type: 'blue-green', route: 'shop', steps: [], retainMs: 0 }],
];

/** Every write of a release whose answer is lost once: it is sent once, and found the next time. */
describe('a new version beside the old one, while answers are lost', () => {
  test.each(strategies)('by %s', async (_, strategy) => {
    const driver = createCandidateDriver(site);
    const first = await driver.deployed('1', 1, { autoscaled: true });
    await site.add({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: {
        parentRefs: [{ name: 'web' }],
        rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
      },
    });
    const second = await driver.prepare('2', 2, {
      autoscaled: true,
      image: 'registry.example/shop:2',
      greeting: 'hi',
      previous: first,
      strategy,
    });
    const sent: Record<string, number> = {};
    const lossy = async <T>(step: string, run: () => Promise<T>): Promise<T> => {
      const lost = spoilOnce(site.proxy, ({ mutating }) => mutating, {
        kind: 'lose-after',
        meanwhile: () => undefined,
      });
      const answer = await retried(run);
      sent[step] = lost.seen();
      return answer;
    };
    const weigh = async (weightPercent: number, epoch: number): Promise<void> => {
      if (!('route' in strategy) || strategy.route === undefined) return;
      const candidate = candidateOf(second);
      const request = { ...second.step, epoch, candidate, weightPercent, deadlineMs: 20_000 };
      // Its reports are writes too, after which ours are rightly decided and sent again.
      await site.setGateway(true);
      await lossy(`weigh ${String(weightPercent)}`, async () => site.routes.setWeight(request));
      await site.setGateway(false);
    };
    const changes = second.plan.changes.filter(({ action }) => action !== 'keep');
    for (const { index, step, phase, rollout, object } of changes) {
      if (phase === 'update') await weigh(100, 2);
      await lossy(step, async () => site.releases.write({ ...second.step, index }));
      if (rollout !== undefined) await driver.awaitServing(object);
    }
    await weigh(40, 3);
    for (const { index, step } of changes.toReversed()) {
      const request = { ...second.step, epoch: 3, index };
      await lossy(`undo ${step}`, async () => site.releases.revert(request));
    }
    site.proxy.decide = () => ({ kind: 'forward' });
    await driver.awaitServing(candidateOf(second).stable);
    const { rows } = await driver.proof(second, 'back');
    expect(rows.filter(({ verdict }) => verdict !== 'exact')).toEqual([]);
    expect(Object.entries(sent).filter(([, times]) => times > 1)).toEqual([]);
    expect(Object.keys(sent).length).toBeGreaterThan(20);
  });
});
