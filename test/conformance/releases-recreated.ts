import { beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt } from '../../domain/delivery/canonical-json.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import {
  createDriver,
  editSpec,
  indexOf,
  refs,
  type DrivenRelease,
  type ReleaseSite,
} from './release-driver.ts';

const strategy = { type: 'recreate' } as const;
const newer = { image: 'registry.example/shop:2', greeting: 'hi', strategy };

/** What a release with the strategy recreate promises, there and back. */
export const describeRecreated = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`recreating on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createDriver(site);
    });

    const replicas = async (): Promise<unknown> =>
      recordAt(await site.get(refs.deployment), 'spec')['replicas'];

    const stop = async (release: DrivenRelease): Promise<void> => {
      const index = indexOf(release, 'stop Deployment/shop');
      const { generation } = await site.releases.write({ ...release.step, index });
      const change = release.plan.changes[index];
      if (change !== undefined) await driver.awaitChange(change, generation);
    };

    const verdicts = async (release: DrivenRelease): Promise<string[]> =>
      (await driver.proof(release, 'back')).rows.map(({ verdict }) => verdict);

    test('the old version is stopped first, and the plan says so', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { ...newer, previous: first });
      expect(second.plan.changes[0]).toMatchObject({
        step: 'stop Deployment/shop',
        fields: [{ path: '/spec/replicas', before: '2', after: '0' }],
        rollout: { replicas: 0, services: [] },
      });
      expect(second.plan.warnings).toContainEqual(
        expect.stringContaining('Deployment/shop is interrupted'),
      );
      await stop(second);
      expect(await replicas()).toBe(0);
      await driver.forward(second);
      expect(await replicas()).toBe(2);
      expect(isExact(await driver.proof(second, 'forward'))).toBe(true);
    });

    test('the way back stops the new version before the old one starts, and is exact', async () => {
      const first = await driver.prepare('1', 1, {});
      const [oldSet] = await driver.forward(first);
      const second = await driver.prepare('2', 2, { ...newer, replicas: 3, previous: first });
      const sets = await driver.forward(second);
      expect(sets).toEqual([oldSet, expect.not.stringMatching(oldSet ?? '')]);
      const outcomes = await driver.back(second);
      expect(outcomes).toContain('patch Deployment/shop: reverted');
      expect(outcomes.at(-1)).toBe('stop Deployment/shop: reverted');
      expect(await replicas()).toBe(2);
      const { deleted } = await site.workloads.retire({
        ...second.step,
        epoch: 3,
        object: refs.deployment,
      });
      expect(deleted).toHaveLength(1);
      expect(await verdicts(second)).toEqual(expect.not.arrayContaining(['differs']));
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('what was stopped only is started again', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { ...newer, previous: first });
      await stop(second);
      await driver.back(second);
      expect(await replicas()).toBe(2);
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('a late attempt to stop it changes nothing once it runs the new version', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { ...newer, previous: first });
      await driver.forward(second);
      const index = indexOf(second, 'stop Deployment/shop');
      const late = await site.releases.write({ ...second.step, index });
      expect(late.outcome).toBe('already-written');
      expect(await replicas()).toBe(2);
    });

    test('what someone else changed meanwhile is kept and listed', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { ...newer, previous: first });
      await driver.forward(second);
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['progressDeadlineSeconds'] = 77)),
      );
      await driver.back(second);
      const { rows } = await driver.proof(second, 'back');
      expect(rows.find(({ object }) => object.kind === 'Deployment')).toMatchObject({
        verdict: 'foreign-change-preserved',
        fields: ['/spec/progressDeadlineSeconds'],
      });
      expect(await replicas()).toBe(2);
    });

    test('an autoscaler gets back the replicas that it had set, there and back', async () => {
      const first = await driver.deployed('1', 1, { autoscaled: true });
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['replicas'] = 3)),
      );
      const second = await driver.prepare('2', 2, { ...newer, autoscaled: true, previous: first });
      expect(second.plan.changes[0]).toMatchObject({
        fields: [{ path: '/spec/replicas', before: '3', after: '0' }],
      });
      await stop(second);
      expect(await replicas()).toBe(0);
      await driver.forward(second);
      expect(await replicas()).toBe(3);
      await driver.back(second);
      expect(await replicas()).toBe(3);
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('a release that changes no pods interrupts nothing', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { replicas: 3, strategy, previous: first });
      expect(second.plan.changes.map(({ step }) => step)).not.toContain('stop Deployment/shop');
      expect(second.plan.warnings.join()).not.toContain('interrupted');
    });
  });
};
