import { beforeEach, describe, expect, test } from '@jest/globals';
import { numberAt, recordAt } from '../../domain/delivery/canonical-json.ts';
import type { ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import { candidateOf, createCandidateDriver, stepsOf } from './candidate-driver.ts';
import {
  codeOf,
  editSpec,
  indexOf,
  refs,
  type DrivenRelease,
  type ReleaseSite,
} from './release-driver.ts';

const byPods: RolloutStrategy = { type: 'canary', steps: [{ weightPercent: 25, forMs: 0 }] };

const updateStep = 'patch Deployment/shop';

/** What a share that the numbers of pods make promises. */
export const describeByPods = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`a new version with a share of the pods on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;
    let driven: DrivenRelease;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
      const previous = await driver.deployed('1', 1, { replicas: 4 });
      const next = { replicas: 4, image: 'registry.example/shop:2', previous };
      driven = await driver.prepare('2', 2, { ...next, strategy: byPods });
    });

    const scale = (object: ObjectRef, replicas: number, epoch = driven.step.epoch) =>
      site.workloads.scale({ ...driven.step, epoch, object, replicas });
    const podsOf = async (object: ObjectRef): Promise<number | undefined> =>
      numberAt(await site.get(object), 'spec', 'replicas');

    test('is behind the user’s Service without a write to it, there and back', async () => {
      expect(stepsOf(driven)).toEqual([
        'stage: create Service/shop-SUFFIX',
        'stage: create Deployment/shop-SUFFIX',
        'stage: activate Deployment/shop-SUFFIX',
        'update: keep ConfigMap/shop-settings-HASH',
        'update: keep ConfigMap/shop-banner',
        'update: keep Service/shop',
        'update: keep PodDisruptionBudget/shop',
        'update: patch Deployment/shop',
      ]);
      const { workload, stable, byPods: how } = candidateOf(driven);
      expect(how).toEqual({ surges: true });
      const before = await site.get(refs.service);
      await driver.forwardTo(driven, 'stage');
      expect((await driver.awaitServing(workload)).wantedReplicas).toBe(1);
      expect(await scale(stable, 3)).toMatchObject({ changed: true });
      expect(await scale(stable, 3)).toMatchObject({ changed: false });
      expect((await driver.awaitServing(stable)).readyReplicas).toBe(3);
      await scale(workload, 4);
      await driver.awaitServing(workload);
      await scale(stable, 0);
      expect((await driver.awaitServing(stable)).wantedReplicas).toBe(0);
      await site.releases.write({ ...driven.step, index: indexOf(driven, updateStep) });
      expect((await driver.awaitServing(stable)).readyReplicas).toBe(4);
      expect(await codeOf(scale(stable, 1))).toBe('FOREIGN_CHANGE');
      await scale(workload, 0);
      await driver.clearUp(driven);
      expect(await site.get(refs.service)).toEqual(before);
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
      expect((await site.get(stable))?.metadata.annotations).not.toHaveProperty([
        'holdfast.dev/scaled',
      ]);
    });

    test('is put back from any share, and the fence stops the one before', async () => {
      const { workload, stable } = candidateOf(driven);
      await driver.forwardTo(driven, 'stage');
      await scale(stable, 1);
      expect((await driver.proof(driven, 'back')).rows).toContainEqual(
        expect.objectContaining({ object: refs.deployment, verdict: 'differs' }),
      );
      expect(await scale(stable, 4, 3)).toMatchObject({ changed: true });
      expect(await codeOf(scale(stable, 1))).toBe('FENCED');
      expect((await driver.awaitServing(stable)).readyReplicas).toBe(4);
      await scale(workload, 0, 3);
      await driver.backAll(driven);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('the updated workload is put back with the pods it had, whatever its share was', async () => {
      const { stable } = candidateOf(driven);
      await driver.forwardTo(driven, 'stage');
      await scale(stable, 0);
      await driver.forwardTo(driven, 'update');
      await driver.backAll(driven);
      expect(await podsOf(stable)).toBe(4);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('pods that someone else gave the workload are refused forward and kept on the way back', async () => {
      const { workload, stable } = candidateOf(driven);
      await driver.forwardTo(driven, 'stage');
      await scale(stable, 3);
      const seven = editSpec((spec) => (spec['replicas'] = 7));
      await site.edit(refs.deployment, seven);
      expect(await codeOf(scale(stable, 2))).toBe('FOREIGN_CHANGE');
      expect(await podsOf(stable)).toBe(7);
      expect(await scale(stable, 4, 3)).toMatchObject({ changed: false });
      await driver.awaitServing(stable);
      await scale(workload, 0, 3);
      await driver.backAll(driven);
      expect(await podsOf(stable)).toBe(7);
      const { rows } = await driver.proof(driven, 'back');
      expect(
        rows.find(({ object }) => object.name === stable.name && object.kind === stable.kind),
      ).toMatchObject({
        verdict: 'foreign-change-preserved',
        fields: ['/spec/replicas'],
      });
    });

    test('is refused with an autoscaler, and nothing is touched', async () => {
      const before = recordAt(await site.get(refs.deployment), 'metadata')['resourceVersion'];
      const refused = driver.prepare('3', 4, {
        replicas: 4,
        image: 'registry.example/shop:3',
        autoscaled: true,
        strategy: byPods,
      });
      await expect(refused).rejects.toMatchObject({
        type: 'INVALID_INPUT',
        message: expect.stringContaining('HorizontalPodAutoscaler/shop owns that of'),
      });
      const after = recordAt(await site.get(refs.deployment), 'metadata')['resourceVersion'];
      expect(after).toEqual(before);
    });
  });
};
