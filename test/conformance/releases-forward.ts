import { beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt } from '../../domain/delivery/canonical-json.ts';
import { annotations } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import { codeOf, createDriver, indexOf, refs, type ReleaseSite } from './release-driver.ts';
import { sampleService } from './sample-service.ts';

/** What a release promises on the way forward. */
export const describeForward = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`a release on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createDriver(site);
    });

    test('a first deployment creates everything, activates it, and is proven', async () => {
      const first = await driver.prepare('1', 1, {});
      expect(first.plan.changes.map(({ action }) => action)).toEqual([
        'create',
        'create',
        'create',
        'create',
        'create',
        'activate',
      ]);
      await driver.forward(first);
      expect(isExact(await driver.proof(first, 'forward'))).toBe(true);
    });

    test('a workload is born with no replicas, so that a late creation serves nobody', async () => {
      const first = await driver.prepare('1', 1, {});
      await site.releases.write({ ...first.step, index: indexOf(first, 'create Deployment/shop') });
      const born = await site.get(refs.deployment);
      expect(recordAt(born, 'spec')['replicas']).toBe(0);
    });

    test('the same manifests again change nothing', async () => {
      const first = await driver.deployed('1', 1);
      const again = await driver.prepare('2', 2, { previous: first });
      expect(new Set(again.plan.changes.map(({ action }) => action))).toEqual(new Set(['keep']));
    });

    test('a write that is tried again is found, not repeated', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, {
        image: 'registry.example/shop:2',
        previous: first,
      });
      const index = indexOf(second, 'patch Deployment/shop');
      const written = await site.releases.write({ ...second.step, index });
      const repeated = await site.releases.write({ ...second.step, index });
      expect([written.outcome, repeated.outcome]).toEqual(['written', 'already-written']);
      expect(repeated.generation).toBe(written.generation);
    });

    test('a foreign edit of a field about to be written is refused, not overwritten', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { greeting: 'hi', previous: first });
      await site.edit(refs.banner, (object) => ({ ...object, data: { text: 'servus' } }));
      const index = indexOf(second, 'patch ConfigMap/shop-banner');
      expect(await codeOf(site.releases.write({ ...second.step, index }))).toBe('FOREIGN_CHANGE');
      expect(recordAt(await site.get(refs.banner), 'data')['text']).toBe('servus');
    });

    test('an object that changed after the plan makes the plan stale', async () => {
      const first = await driver.deployed('1', 1);
      const manifestsDigest = await site.store(sampleService({ greeting: 'hi' }));
      const previousManifestsDigest = first.manifestsDigest;
      const request = { ...driver.target, release: '2', manifestsDigest, previousManifestsDigest };
      const plan = await site.releases.plan({ ...request, adopt: false, epoch: 2 });
      await site.edit(refs.banner, (object) => ({ ...object, data: { text: 'servus' } }));
      const step = { ...driver.target, release: '2', planDigest: plan.planDigest, epoch: 2 };
      expect(await codeOf(site.releases.capture(step))).toBe('PLAN_STALE');
    });

    test('a field that the manifests no longer have is removed, and comes back', async () => {
      const options = { env: { COLOUR: 'blue', SIZE: 'm' } };
      const first = await driver.deployed('1', 1, options);
      const second = await driver.prepare('2', 2, { env: { SIZE: 'm' }, previous: first });
      await driver.forward(second);
      const named = async (): Promise<string> => JSON.stringify(await site.get(refs.deployment));
      expect(await named()).not.toContain('COLOUR');
      await driver.back(second);
      expect(await named()).toContain('COLOUR');
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('an object of another service is refused before anything is touched', async () => {
      await site.add({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'shop-banner',
          annotations: { [annotations.service]: `${site.environment}/other` },
        },
        data: { text: 'theirs' },
      });
      expect(await codeOf(driver.prepare('1', 1, {}))).toBe('OBJECT_HELD');
      expect(await site.get(refs.service)).toBeUndefined();
    });
  });
};
