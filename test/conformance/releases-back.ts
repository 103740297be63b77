import { beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import {
  codeOf,
  createDriver,
  editSpec,
  indexOf,
  refs,
  type ReleaseSite,
} from './release-driver.ts';

/** What people and releases write; the controllers go on reporting. */
const withoutReports = (object: KubernetesObject | undefined): unknown => {
  if (object === undefined) return undefined;
  const { status: _status, metadata, ...written } = object;
  const {
    resourceVersion: _version,
    managedFields: _fields,
    ...named
  } = { ...metadata } as Record<string, unknown>;
  return { ...written, metadata: named };
};

/** What a release promises on the way back. */
export const describeBack = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`the way back on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createDriver(site);
    });

    test('a first deployment is undone by deleting exactly what was created', async () => {
      const bystander = { ...refs.banner, name: 'not-ours' };
      await site.add({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'not-ours' } });
      const first = await driver.prepare('1', 1, {});
      await driver.forward(first);
      await driver.back(first);
      expect((await driver.proof(first, 'back')).rows.map(({ verdict }) => verdict)).toEqual(
        Array.from({ length: 5 }, () => 'exact'),
      );
      expect(await site.get(refs.deployment)).toBeUndefined();
      expect(await site.get(refs.service)).toBeUndefined();
      expect(await site.get(bystander)).toBeDefined();
    });

    test('I-12 image, configuration and replicas in one release: its way back leaves every object equal, and the old ReplicaSet running', async () => {
      const first = await driver.prepare('1', 1, {});
      const [oldSet] = await driver.forward(first);
      const second = await driver.prepare('2', 2, {
        image: 'registry.example/shop:2',
        greeting: 'good evening',
        env: { COLOUR: 'blue' },
        replicas: 3,
        previous: first,
      });
      const [newSet] = await driver.forward(second);
      expect(newSet).not.toBe(oldSet);
      expect(isExact(await driver.proof(second, 'forward'))).toBe(true);
      await driver.back(second);
      const request = { ...second.step, epoch: 3, object: refs.deployment };
      const { deleted } = await site.workloads.retire(request);
      expect(deleted).toHaveLength(1);
      const proof = await driver.proof(second, 'back');
      expect(proof.rows.map(({ verdict }) => verdict)).toEqual(proof.rows.map(() => 'exact'));
      expect(proof.rows.every((row) => row.hashBefore === row.hashAfter)).toBe(true);
    });

    test('I-4 an attempt that wakes up after the rollback changes nothing', async () => {
      const first = await driver.deployed('1', 1);
      const options = { image: 'registry.example/shop:2', greeting: 'hi', previous: first };
      const second = await driver.prepare('2', 2, options);
      await driver.forward(second);
      await driver.back(second);
      const before = withoutReports(await site.get(refs.deployment));
      for (const { index } of second.plan.changes.filter(({ action }) => action !== 'keep')) {
        expect(await codeOf(site.releases.write({ ...second.step, index }))).toBe('FENCED');
      }
      expect(withoutReports(await site.get(refs.deployment))).toEqual(before);
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('undoing a step that never took effect raises the fence all the same', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, {
        image: 'registry.example/shop:2',
        previous: first,
      });
      const index = indexOf(second, 'patch Deployment/shop');
      const { outcome } = await site.releases.revert({ ...second.step, epoch: 3, index });
      expect(outcome).toBe('nothing-to-undo');
      expect(await codeOf(site.releases.write({ ...second.step, index }))).toBe('FENCED');
      expect(await site.releases.highestFence(driver.target)).toEqual({ fence: 3 });
    });

    test('I-5 what someone else changed meanwhile is kept and listed', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, {
        image: 'registry.example/shop:2',
        previous: first,
      });
      await driver.forward(second);
      await site.edit(refs.deployment, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, team: 'blue' } },
      }));
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['progressDeadlineSeconds'] = 77)),
      );
      const outcomes = await driver.back(second);
      expect(outcomes).toContain('patch Deployment/shop: reverted');
      const live = await site.get(refs.deployment);
      expect(live?.metadata.labels?.['team']).toBe('blue');
      const rows = (await driver.proof(second, 'back')).rows;
      expect(rows.find(({ object }) => object.kind === 'Deployment')).toMatchObject({
        verdict: 'foreign-change-preserved',
        fields: ['/metadata/labels/team', '/spec/progressDeadlineSeconds'],
      });
    });

    test('I-5 a field that both changed stays as the other one left it', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { greeting: 'hi', previous: first });
      await driver.forward(second);
      await site.edit(refs.banner, (object) => ({ ...object, data: { text: 'servus' } }));
      const index = indexOf(second, 'patch ConfigMap/shop-banner');
      const receipt = await site.releases.revert({ ...second.step, epoch: 3, index });
      expect(receipt.outcome).toBe('foreign-change-preserved');
      expect(receipt.foreignFields).toEqual(['/data/text']);
      expect(recordAt(await site.get(refs.banner), 'data')['text']).toBe('servus');
    });

    test('I-5 an object that someone deleted is created again and flagged', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, { greeting: 'hi', previous: first });
      await driver.forward(second);
      await site.edit(refs.banner, () => undefined);
      const index = indexOf(second, 'patch ConfigMap/shop-banner');
      const revert = { ...second.step, epoch: 3, index };
      expect((await site.releases.revert(revert)).outcome).toBe('recreated');
      expect((await site.releases.revert(revert)).outcome).toBe('recreated');
      expect(recordAt(await site.get(refs.banner), 'data')['text']).toBe('hello');
      const rows = (await driver.proof(second, 'back')).rows;
      expect(rows.find(({ object }) => object.name === 'shop-banner')?.verdict).toBe('recreated');
    });

    test('a paused release is put back exactly, its own pause included', async () => {
      const first = await driver.deployed('1', 1);
      const second = await driver.prepare('2', 2, {
        image: 'registry.example/shop:2',
        previous: first,
      });
      const index = indexOf(second, 'patch Deployment/shop');
      await site.releases.write({ ...second.step, index });
      const pause = { ...driver.target, object: refs.deployment, epoch: 2 };
      await site.workloads.setPaused({ ...pause, paused: true });
      await driver.back(second);
      expect(isExact(await driver.proof(second, 'back'))).toBe(true);
    });

    test('I-11 replicas are the autoscaler’s: neither a release nor its way back touches them', async () => {
      const first = await driver.deployed('1', 1, { autoscaled: true });
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['replicas'] = 4)),
      );
      const options = { autoscaled: true, image: 'registry.example/shop:2', previous: first };
      const second = await driver.prepare('2', 2, options);
      const index = indexOf(second, 'patch Deployment/shop');
      await site.releases.write({ ...second.step, index });
      await site.edit(
        refs.deployment,
        editSpec((spec) => (spec['replicas'] = 3)),
      );
      await site.releases.revert({ ...second.step, epoch: 3, index });
      expect(recordAt(await site.get(refs.deployment), 'spec')['replicas']).toBe(3);
      const rows = (await driver.proof(second, 'back')).rows;
      expect(rows.find(({ object }) => object.kind === 'Deployment')?.verdict).not.toBe('differs');
    });
  });
};
