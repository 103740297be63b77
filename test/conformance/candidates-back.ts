import { beforeEach, describe, expect, test } from '@jest/globals';
import { isExact } from '../../domain/delivery/proof.ts';
import { blueGreen, candidateOf, createCandidateDriver, phases } from './candidate-driver.ts';
import {
  codeOf,
  editSpec,
  indexOf,
  refs,
  type DrivenRelease,
  type ReleaseSite,
} from './release-driver.ts';

/** What a new version beside the old one promises on the way back. */
export const describeBesideBack = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`the way back from beside on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;
    let first: DrivenRelease;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
      first = await driver.deployed('1', 1, { autoscaled: true });
    });

    const next = async (release: string, epoch: number): Promise<DrivenRelease> =>
      driver.prepare(release, epoch, {
        autoscaled: true,
        image: `registry.example/shop:${release}`,
        greeting: `hi ${release}`,
        previous: first,
        strategy: blueGreen,
      });

    const expectAsBefore = async (driven: DrivenRelease): Promise<void> => {
      const { rows } = await driver.proof(driven, 'back');
      expect(rows.filter(({ verdict }) => verdict !== 'exact')).toEqual([]);
      expect(rows.every((row) => row.hashBefore === row.hashAfter)).toBe(true);
    };

    test.each(phases)(
      'after the phase %s everything is as before, the old pods too',
      async (last) => {
        const driven = await next('2', 2);
        await driver.forwardTo(driven, last);
        await driver.backAll(driven);
        await expectAsBefore(driven);
        expect(await driver.chosen()).toBe('shop');
        // The same again from there: nothing of the first time is in the way.
        const again = await next('3', 4);
        await driver.forwardTo(again, last);
        await driver.backAll(again);
        await expectAsBefore(again);
      },
    );

    test('of a release that wrote nothing touches nothing, and no traffic moves', async () => {
      const driven = await next('2', 2);
      const outcomes = await driver.backAll(driven);
      expect(outcomes.filter((outcome) => !outcome.endsWith('nothing-to-undo'))).toEqual([
        // Both writes to one object raise its fence; the second finds that done.
        'switch Service/shop: reverted',
        'freeze HorizontalPodAutoscaler/shop: reverted',
      ]);
      await expectAsBefore(driven);
      expect(await driver.chosen()).toBe('shop');
    });

    test('is the same when every step is undone twice, and is not in the way of the next', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'return');
      const before = await driver.backAll(driven);
      expect(before).toContain('return Service/shop: reverted');
      await driver.backAll(driven);
      expect(await driver.chosen()).toBe('shop');
      await expectAsBefore(driven);
      const again = await next('2', 4);
      await driver.forwardTo(again, 'switch');
      expect(await driver.chosen()).toBe(candidateOf(again).workload.name);
      await driver.backAll(again);
      await expectAsBefore(again);
    });

    test('I-4 fences an attempt that wakes up afterwards', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'switch');
      await driver.backAll(driven);
      const before = await site.get(refs.service);
      for (const { index } of driven.plan.changes.filter(({ action }) => action !== 'keep')) {
        expect(await codeOf(site.releases.write({ ...driven.step, index }))).toMatch(
          /^(FENCED|FOREIGN_CHANGE)$/,
        );
      }
      expect(await site.get(refs.service)).toEqual(before);
      await expectAsBefore(driven);
    });

    test('never goes through a new version that is gone', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'return');
      await driver.clearUp(driven);
      const index = indexOf(driven, 'return Service/shop');
      const { outcome } = await site.releases.revert({ ...driven.step, epoch: 3, index });
      expect(outcome).toBe('nothing-to-undo');
      expect(await driver.chosen()).toBe('shop');
      await driver.backAll(driven);
      await expectAsBefore(driven);
    });

    test('takes the traffic from a new version that fails, without asking it', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'switch');
      await site.edit(candidateOf(driven).workload, () => undefined);
      const index = indexOf(driven, 'switch Service/shop');
      const { outcome } = await site.releases.revert({ ...driven.step, epoch: 3, index });
      expect(outcome).toBe('reverted');
      expect(await driver.chosen()).toBe('shop');
    });

    test('an old version that lost its pods meanwhile is counted, and gets them again', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'switch');
      const { stable, replicas } = candidateOf(driven);
      const look = { ...driver.target, object: stable, generation: 0, stableMs: 0 };
      await site.edit(
        stable,
        editSpec((spec) => (spec['replicas'] = 0)),
      );
      await driver.awaitServing(stable);
      const none = { ...look, leastReady: 0, deadlineMs: 1_000 };
      expect(await site.workloads.awaitRollout(none)).toMatchObject({ readyReplicas: 0 });
      const raise = { ...driven.step, epoch: 3, object: stable, replicas };
      expect(await site.workloads.scale(raise)).toMatchObject({ changed: true });
      expect(await site.workloads.scale(raise)).toMatchObject({ changed: false });
      const seen = await site.workloads.awaitRollout({
        ...look,
        leastReady: replicas,
        deadlineMs: 30_000,
      });
      expect(seen.readyReplicas).toBeGreaterThanOrEqual(replicas);
      expect(await codeOf(site.workloads.scale({ ...raise, epoch: 2, replicas: 9 }))).toBe(
        'FENCED',
      );
      await driver.backAll(driven);
      await expectAsBefore(driven);
    });

    test('what a late attempt leaves is pruned by the next release', async () => {
      const driven = await next('2', 2);
      await driver.forwardTo(driven, 'return');
      await driver.clearUp(driven);
      const { workload } = candidateOf(driven);
      const index = indexOf(driven, `create Deployment/${workload.name}`);
      await site.releases.write({ ...driven.step, index });
      const request = { ...driver.target, keepReleases: ['2'], unwoundReleases: [] };
      expect((await site.releases.prune({ ...request, epoch: 2 })).deleted).toEqual([]);
      expect((await site.releases.prune({ ...request, epoch: 3 })).deleted).toEqual([workload]);
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
    });
  });
};
