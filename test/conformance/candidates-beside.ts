import { beforeEach, describe, expect, test } from '@jest/globals';
import { recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import type { ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import { blueGreen, candidateOf, createCandidateDriver, stepsOf } from './candidate-driver.ts';
import { codeOf, indexOf, refs, type ReleaseSite } from './release-driver.ts';

const autoscaler = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  name: 'shop',
} as const;
const budget = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: 'shop' } as const;

/** What a new version beside the old one promises on the way forward. */
export const describeBeside = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`a new version beside the old one on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
    });

    const second = async (options: { autoscaled?: boolean } = {}) => {
      const first = await driver.deployed('1', 1, options);
      return driver.prepare('2', 2, {
        ...options,
        image: 'registry.example/shop:2',
        greeting: 'hi',
        previous: first,
        strategy: blueGreen,
      });
    };

    test('is planned in phases, under names and a label of its own', async () => {
      const driven = await second({ autoscaled: true });
      expect(stepsOf(driven)).toEqual([
        'stage: create ConfigMap/shop-settings-HASH',
        'stage: freeze HorizontalPodAutoscaler/shop',
        'stage: create Service/shop-SUFFIX',
        'stage: create PodDisruptionBudget/shop-SUFFIX',
        'stage: create Deployment/shop-SUFFIX',
        'stage: activate Deployment/shop-SUFFIX',
        'stage: create HorizontalPodAutoscaler/shop-SUFFIX',
        'switch: switch Service/shop',
        'update: patch ConfigMap/shop-banner',
        'update: keep PodDisruptionBudget/shop',
        'update: patch Deployment/shop',
        'return: return Service/shop',
        'return: unfreeze HorizontalPodAutoscaler/shop',
      ]);
      const { workload, stable, replicas, preview, route } = candidateOf(driven);
      expect({ stable, replicas, route }).toEqual({ stable: refs.deployment, replicas: 2 });
      expect(preview).toEqual([{ name: workload.name, port: 80 }]);
      const byStep = (step: string) => driven.plan.changes[indexOf(driven, step)];
      const there = { services: ['shop'], before: stable, after: workload };
      expect(byStep('switch Service/shop')?.traffic).toEqual(there);
      expect(byStep('return Service/shop')?.traffic).toEqual({
        ...there,
        before: workload,
        after: stable,
      });
      expect(byStep(`activate Deployment/${workload.name}`)?.rollout).toMatchObject({
        replicas: 2,
        services: [workload.name],
      });
      const temporary = driven.plan.changes.filter((change) => change.temporary === true);
      expect(temporary.map(({ object }) => object.name)).toEqual(
        Array.from({ length: 5 }, () => workload.name),
      );
    });

    test('is brought up without a change to what serves, with its own budget and autoscaler', async () => {
      const driven = await second({ autoscaled: true });
      const before = await site.get(refs.service);
      await driver.forwardTo(driven, 'stage');
      expect(recordAt(await site.get(refs.service), 'spec')).toEqual(recordAt(before, 'spec'));
      const { workload } = candidateOf(driven);
      const named = async (ref: ObjectRef): Promise<unknown> => site.get({ ...ref, ...workload });
      const label = { app: workload.name };
      const own = async (ref: ObjectRef) => site.get({ ...ref, name: workload.name });
      expect(await named(refs.deployment)).toMatchObject({
        metadata: { labels: label },
        spec: {
          replicas: 2,
          selector: { matchLabels: label },
          template: {
            metadata: { labels: label },
            spec: { containers: [{ image: 'registry.example/shop:2' }] },
          },
        },
      });
      expect(await own(refs.service)).toMatchObject({
        spec: { selector: label, ports: [{ port: 80, targetPort: 'http' }] },
      });
      expect(await own(budget)).toMatchObject({
        spec: { maxUnavailable: 1, selector: { matchLabels: label } },
      });
      const frozen = { behavior: { scaleDown: { selectPolicy: 'Disabled' } } };
      expect(await own(autoscaler)).toMatchObject({
        spec: { ...frozen, minReplicas: 2, scaleTargetRef: { name: workload.name } },
      });
      expect(await site.get(autoscaler)).toMatchObject({
        spec: { ...frozen, scaleTargetRef: { name: 'shop' } },
      });
    });

    test('takes the traffic, gives it back, goes, and leaves exactly what the manifests say', async () => {
      const driven = await second({ autoscaled: true });
      const { workload } = candidateOf(driven);
      await driver.forwardTo(driven, 'switch');
      expect(await driver.chosen()).toBe(workload.name);
      await driver.forwardTo(driven, 'return');
      expect(await driver.chosen()).toBe('shop');
      const proof = await driver.proof(driven, 'forward');
      expect(proof.rows.map(({ object }) => object.name)).not.toContain(workload.name);
      expect(isExact(proof)).toBe(true);
      expect(await driver.clearUp(driven)).toEqual(Array.from({ length: 4 }, () => 'deleted'));
      expect(await driver.clearUp(driven)).toEqual(
        Array.from({ length: 4 }, () => 'nothing-to-undo'),
      );
      expect(await site.get(workload)).toBeUndefined();
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
      const live = recordAt(await site.get(autoscaler), 'spec', 'behavior', 'scaleDown');
      expect(stringAt(live, 'selectPolicy')).not.toBe('Disabled');
    });

    test('a Service left with the new version is found by the proof', async () => {
      const driven = await second();
      await driver.forwardTo(driven, 'update');
      const proof = await driver.proof(driven, 'forward');
      expect(proof.rows.filter(({ verdict }) => verdict !== 'exact')).toMatchObject([
        { object: refs.service, verdict: 'differs', fields: ['/spec/selector/app'] },
      ]);
    });

    test('a switch that is tried again after the return moves no traffic', async () => {
      const driven = await second();
      await driver.forwardTo(driven, 'return');
      const before = await site.get(refs.service);
      for (const step of ['switch Service/shop', 'return Service/shop']) {
        const index = indexOf(driven, step);
        const { outcome } = await site.releases.write({ ...driven.step, index });
        expect(outcome).toBe('already-written');
      }
      expect(await site.get(refs.service)).toEqual(before);
    });

    test('I-5 a foreign edit between switch and return is kept, and one of the selector is refused', async () => {
      const driven = await second();
      await driver.forwardTo(driven, 'switch');
      await site.edit(refs.service, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { team: 'blue' } },
      }));
      await driver.forwardTo(driven, 'return');
      const { rows } = await driver.proof(driven, 'forward');
      expect(rows.find(({ object }) => object.kind === 'Service')).toMatchObject({
        verdict: 'foreign-change-preserved',
        fields: ['/metadata/labels'],
      });
      await driver.clearUp(driven);
      const third = await driver.prepare('3', 3, {
        image: 'registry.example/shop:3',
        greeting: 'hi',
        previous: driven,
        strategy: blueGreen,
      });
      await driver.forwardTo(third, 'update');
      await site.edit(refs.service, (object) => ({
        ...object,
        spec: { ...recordAt(object, 'spec'), selector: { app: 'elsewhere' } },
      }));
      const index = indexOf(third, 'return Service/shop');
      expect(await codeOf(site.releases.write({ ...third.step, index }))).toBe('FOREIGN_CHANGE');
      expect(await driver.chosen()).toBe('elsewhere');
    });

    test('is scaled under the fence, and nothing else is lowered', async () => {
      const driven = await second();
      await driver.forwardTo(driven, 'stage');
      const { workload, stable } = candidateOf(driven);
      const scale = { ...driven.step, object: workload, replicas: 3 };
      expect(await site.workloads.scale(scale)).toMatchObject({ changed: true });
      expect(await site.workloads.scale(scale)).toMatchObject({ changed: false });
      expect((await driver.awaitServing(workload)).wantedReplicas).toBe(3);
      const lower = { ...scale, object: stable, replicas: 0 };
      expect(await site.workloads.scale(lower)).toMatchObject({ changed: false });
      const other = { ...scale, object: { ...stable, name: 'other' } };
      expect(await codeOf(site.workloads.scale(other))).toBe('FOREIGN_CHANGE');
      const later = { ...scale, epoch: 3, replicas: 2 };
      expect(await site.workloads.scale(later)).toMatchObject({ changed: true });
      expect(await codeOf(site.workloads.scale(scale))).toBe('FENCED');
    });

    test('is not there where no pod changes, or nothing ran yet', async () => {
      const first = await driver.prepare('1', 1, { strategy: blueGreen });
      const isPlain = ({ plan }: typeof first): boolean =>
        plan.candidate === undefined && plan.changes.every(({ phase }) => phase === undefined);
      expect(isPlain(first)).toBe(true);
      await driver.forward(first);
      const options = { replicas: 3, previous: first, strategy: blueGreen };
      expect(isPlain(await driver.prepare('2', 2, options))).toBe(true);
    });
  });
};
