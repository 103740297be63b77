import { beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt } from '../../domain/delivery/canonical-json.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import { createDriver, editSpec, indexOf, refs, type ReleaseSite } from './release-driver.ts';

/** What is promised around releases: sweeping up, and stopping a rollout. */
export const describeUpkeep = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`upkeep on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createDriver(site);
    });

    test('an unwound release leaves nothing behind that a sweep does not find', async () => {
      const first = await driver.prepare('1', 1, {});
      for (const { index } of first.plan.changes) {
        await site.releases.write({ ...first.step, index });
      }
      const request = { ...driver.target, epoch: 2, keepReleases: [], unwoundReleases: ['1'] };
      const { deleted } = await site.releases.prune(request);
      expect(deleted).toHaveLength(5);
      expect(await site.get(refs.deployment)).toBeUndefined();
      expect((await site.releases.prune(request)).deleted).toEqual([]);
    });

    test('config by content is pruned only when nothing refers to it any more', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { greeting: 'hi', previous: first });
      await driver.forward(second);
      const request = { ...driver.target, epoch: 3, keepReleases: ['2'], unwoundReleases: [] };
      expect((await site.releases.prune(request)).deleted).toEqual([]);
    });

    test('what a failed release left behind and a later one uses survives the sweep', async () => {
      const lost = await driver.prepare('1', 1, {});
      await site.releases.write({ ...lost.step, index: indexOf(lost, 'create Service/shop') });
      const next = await driver.prepare('2', 3, {});
      await driver.forward(next);
      const request = { ...driver.target, epoch: 4, keepReleases: ['2'], unwoundReleases: ['1'] };
      expect((await site.releases.prune(request)).deleted).toEqual([]);
      expect(await site.get(refs.service)).toBeDefined();
    });

    test('a rolling update is stopped and continued, and a foreign pause is left alone', async () => {
      const first = await driver.deployed('1', 1);
      const pause = { ...driver.target, object: refs.deployment, epoch: 2 };
      expect(await site.workloads.setPaused({ ...pause, paused: true })).toEqual({ changed: true });
      expect(await site.workloads.setPaused({ ...pause, paused: true })).toEqual({
        changed: false,
      });
      expect(recordAt(await site.get(refs.deployment), 'spec')['paused']).toBe(true);
      expect(await site.workloads.setPaused({ ...pause, paused: false })).toEqual({
        changed: true,
      });
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['paused'] = true)),
      );
      expect(await site.workloads.setPaused({ ...pause, paused: false })).toEqual({
        changed: false,
      });
      await site.edit(
        refs.deployment,
        editSpec((spec) => delete spec['paused']),
      );
      expect(isExact(await driver.proof(first, 'forward'))).toBe(true);
    });
  });
};
