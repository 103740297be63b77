import { beforeEach, describe, expect, test } from '@jest/globals';
import type {
  PlanStep,
  ReleasePlan,
  Releases,
  Workloads,
} from '../../activities/kubernetes/port.ts';
import { codedErrorOf } from '../../activities/coded-failure.ts';
import { copyJson, recordAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { annotations } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import { sampleService, type SampleOptions } from './sample-service.ts';

/** A fresh, empty place for one service, and the hands of someone else in it. */
export interface ReleaseSite {
  releases: Releases;
  workloads: Workloads;
  environment: string;
  store(objects: readonly KubernetesObject[]): Promise<string>;
  get(ref: ObjectRef): Promise<KubernetesObject | undefined>;
  /** Somebody else's edit; undefined deletes the object. */
  edit(
    ref: ObjectRef,
    change: (object: KubernetesObject) => KubernetesObject | undefined,
  ): Promise<void>;
  add(object: KubernetesObject): Promise<void>;
}

export const refs = {
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
  service: { apiVersion: 'v1', kind: 'Service', name: 'shop' },
  banner: { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-banner' },
} as const;

/** Fields of a Deployment's spec that an edit changes. */
export const editSpec =
  (change: (spec: Record<string, unknown>) => void) =>
  (object: KubernetesObject): KubernetesObject => {
    const copy = copyJson(object);
    change(recordAt(copy, 'spec'));
    return copy;
  };

/** A release that is being driven by hand, verb by verb. */
export interface DrivenRelease {
  plan: ReleasePlan;
  step: PlanStep & { preImageDigest: string };
  manifestsDigest: string;
}

export const createDriver = (site: ReleaseSite) => {
  const target = { environment: site.environment, service: 'shop' };

  const prepare = async (
    release: string,
    epoch: number,
    options: SampleOptions & { previous?: DrivenRelease; objects?: KubernetesObject[] },
  ): Promise<DrivenRelease> => {
    const manifestsDigest = await site.store(options.objects ?? sampleService(options));
    const { previous } = options;
    const plan = await site.releases.plan({
      ...target,
      release,
      manifestsDigest,
      ...(previous === undefined ? {} : { previousManifestsDigest: previous.manifestsDigest }),
      adopt: false,
      epoch,
    });
    const step = { ...target, release, planDigest: plan.planDigest, epoch };
    const { preImageDigest } = await site.releases.capture(step);
    return { plan, step: { ...step, preImageDigest }, manifestsDigest };
  };

  const awaitChange = async (
    change: ReleasePlan['changes'][number],
    generation: number,
  ): Promise<string> => {
    const { rollout } = change;
    if (rollout === undefined) return '';
    const seen = await site.workloads.awaitRollout({
      ...target,
      object: change.object,
      generation,
      deadlineMs: 30_000,
      stableMs: 0,
    });
    await site.workloads.awaitEndpoints({
      ...target,
      services: rollout.services,
      replicaSetUid: seen.replicaSet.uid,
      replicas: rollout.replicas,
      deadlineMs: 30_000,
    });
    return seen.replicaSet.uid;
  };

  const forward = async (driven: DrivenRelease): Promise<string[]> => {
    const uids: string[] = [];
    for (const change of driven.plan.changes) {
      const { generation } = await site.releases.write({ ...driven.step, index: change.index });
      const uid = await awaitChange(change, generation);
      if (uid !== '') uids.push(uid);
    }
    return uids;
  };

  const back = async (driven: DrivenRelease): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const change of driven.plan.changes.toReversed()) {
      const request = { ...driven.step, epoch: driven.step.epoch + 1, index: change.index };
      const { outcome, generation } = await site.releases.revert(request);
      outcomes.push(`${change.step}: ${outcome}`);
      if (change.action === 'patch') await awaitChange(change, generation);
    }
    return outcomes;
  };

  const proof = (driven: DrivenRelease, direction: 'forward' | 'back') =>
    site.releases.prove({ ...driven.step, direction });

  const deployed = async (release: string, epoch: number, options: SampleOptions = {}) => {
    const driven = await prepare(release, epoch, options);
    await forward(driven);
    return driven;
  };

  return { target, prepare, forward, back, proof, deployed };
};

export const codeOf = async (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => 'no error',
    (error: unknown) => codedErrorOf(error)?.code ?? String(error),
  );

const indexOf = (driven: DrivenRelease, step: string): number => {
  const change = driven.plan.changes.find((candidate) => candidate.step === step);
  if (change === undefined) throw new Error(`the plan has no step ${step}`);
  return change.index;
};

/** The promises of `Releases` and `Workloads`, against the real API and against the fake. */
export const describeReleases = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`releases on ${name}`, () => {
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

    test('a release and its way back leave every object equal, and the old ReplicaSet running', async () => {
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

    test('an attempt that wakes up after the rollback changes nothing', async () => {
      const first = await driver.deployed('1', 1);
      const options = { image: 'registry.example/shop:2', greeting: 'hi', previous: first };
      const second = await driver.prepare('2', 2, options);
      await driver.forward(second);
      await driver.back(second);
      const before = await site.get(refs.deployment);
      for (const { index } of second.plan.changes.filter(({ action }) => action !== 'keep')) {
        expect(await codeOf(site.releases.write({ ...second.step, index }))).toBe('FENCED');
      }
      expect(await site.get(refs.deployment)).toEqual(before);
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

    test('what someone else changed meanwhile is kept and listed', async () => {
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

    test('a field that both changed stays as the other one left it', async () => {
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

    test('an object that someone deleted is created again and flagged', async () => {
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

    test('replicas are the autoscaler’s: neither a release nor its way back touches them', async () => {
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
