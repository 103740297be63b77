import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  isRecord,
  listAt,
  numberAt,
  recordAt,
  stringAt,
} from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { isExact } from '../../domain/delivery/proof.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import { candidateOf, createCandidateDriver, stepsOf } from './candidate-driver.ts';
import { codeOf, refs, type DrivenRelease, type ReleaseSite } from './release-driver.ts';

const canary: RolloutStrategy = {
  type: 'canary',
  route: 'shop',
  steps: [{ weightPercent: 30, forMs: 0 }],
};

const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'shop' };

const rule = (path: string, ...services: string[]) => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs: services.map((name) => ({ name, port: 80 })),
});

const httpRoute = (...rules: object[]): KubernetesObject => ({
  apiVersion: route.apiVersion,
  kind: route.kind,
  metadata: { name: route.name },
  spec: { parentRefs: [{ name: 'web' }], hostnames: ['shop.example'], rules },
});

/** Backends by rule, as `name:weight`. */
const backendsOf = (object: KubernetesObject | undefined): string[][] =>
  listAt(object, 'spec', 'rules').map((found) =>
    listAt(found, 'backendRefs')
      .filter(isRecord)
      .map((backend) => `${stringAt(backend, 'name') ?? ''}:${numberAt(backend, 'weight') ?? 1}`),
  );

/** What weights on a route promise. */
export const describeOnRoutes = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`a new version with a share of a route on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;
    let first: DrivenRelease;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
      first = await driver.deployed('1', 1, { replicas: 4 });
      await site.setGateway(true);
    });

    const next = async (strategy: RolloutStrategy = canary): Promise<DrivenRelease> =>
      driver.prepare('2', 2, {
        replicas: 4,
        image: 'registry.example/shop:2',
        previous: first,
        strategy,
      });

    const weigh = (driven: DrivenRelease, weightPercent: number, epoch = driven.step.epoch) =>
      site.routes.setWeight({
        ...driven.step,
        epoch,
        candidate: candidateOf(driven),
        weightPercent,
        deadlineMs: 10_000,
      });

    const backends = async (): Promise<string[][]> => backendsOf(await site.get(route));

    test('gets it there and back, and the route ends as it was', async () => {
      await site.add(httpRoute(rule('/', 'shop'), rule('/help', 'help')));
      const before = await site.get(route);
      const driven = await next();
      expect(stepsOf(driven)).toEqual([
        'stage: create Service/shop-SUFFIX',
        'stage: open HTTPRoute/shop',
        'stage: create PodDisruptionBudget/shop-SUFFIX',
        'stage: create Deployment/shop-SUFFIX',
        'stage: activate Deployment/shop-SUFFIX',
        'update: keep ConfigMap/shop-settings-HASH',
        'update: keep ConfigMap/shop-banner',
        'update: keep Service/shop',
        'update: keep PodDisruptionBudget/shop',
        'update: patch Deployment/shop',
        'return: close HTTPRoute/shop',
      ]);
      const { workload, replicas, route: named } = candidateOf(driven);
      expect({ replicas, named }).toEqual({ replicas: 4, named: 'shop' });
      await driver.forwardTo(driven, 'stage');
      expect((await driver.awaitServing(workload)).wantedReplicas).toBe(2);
      expect(await backends()).toEqual([['shop:100', `${workload.name}:0`], ['help:1']]);
      expect(await weigh(driven, 30)).toMatchObject({ opened: true, changed: true });
      expect(await weigh(driven, 30)).toMatchObject({ opened: true, changed: false });
      expect(await backends()).toEqual([['shop:70', `${workload.name}:30`], ['help:1']]);
      await weigh(driven, 100);
      await driver.forwardTo(driven, 'update');
      await weigh(driven, 0);
      await driver.forwardTo(driven, 'return');
      expect(recordAt(await site.get(route), 'spec')).toEqual(recordAt(before, 'spec'));
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
      // Other services may have the route now, but no release that is older than this one.
      const marks = (await site.get(route))?.metadata.annotations;
      expect(marks).toMatchObject({ 'holdfast.dev/fence': '2' });
      expect(marks).not.toHaveProperty(['holdfast.dev/service']);
      await driver.clearUp(driven);
      expect(await weigh(driven, 10)).toEqual({ opened: false, changed: false, generation: 0 });
    });

    test('I-4 gives everything back from any weight, and the fence stops the one before', async () => {
      await site.add(httpRoute(rule('/', 'shop')));
      const driven = await next({ type: 'blue-green', route: 'shop', steps: [], retainMs: 0 });
      await driver.forwardTo(driven, 'stage');
      await weigh(driven, 60);
      expect(await weigh(driven, 0, 3)).toMatchObject({ opened: true, changed: true });
      expect(await codeOf(weigh(driven, 60))).toBe('FENCED');
      expect(await site.releases.highestFence(driver.target)).toEqual({ fence: 3 });
      await driver.backAll(driven);
      expect(await backends()).toEqual([['shop:1']]);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('loses everything by one write only where the pods of the old version carry it', async () => {
      await site.add(httpRoute(rule('/', 'shop')));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      const { workload } = candidateOf(driven);
      await weigh(driven, 30);
      const back = (plannedPods: number) => {
        const request = { ...driven.step, epoch: 3, candidate: candidateOf(driven), plannedPods };
        return site.routes.setWeight({ ...request, weightPercent: 0, deadlineMs: 10_000 });
      };
      expect(await back(5)).toMatchObject({ tooFewPods: true, changed: false });
      expect(await backends()).toEqual([['shop:70', `${workload.name}:30`]]);
      expect(await back(4)).toMatchObject({ opened: true, changed: true });
      expect(await backends()).toEqual([['shop:100', `${workload.name}:0`]]);
    });

    test('is taken out of the route also when its weight was not given back', async () => {
      await site.add(httpRoute(rule('/', 'shop')));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      await weigh(driven, 100);
      await driver.forwardTo(driven, 'return');
      expect(await backends()).toEqual([['shop:1']]);
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
      await driver.backAll(driven);
      expect(await backends()).toEqual([['shop:1']]);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('I-5 weights that someone else changed are refused, and rules of others are kept', async () => {
      await site.add(httpRoute(rule('/', 'shop')));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      const { workload } = candidateOf(driven);
      await site.edit(route, (object) => {
        const spec = recordAt(object, 'spec');
        const [own] = listAt(spec, 'rules').filter(isRecord);
        const [stable, other] = listAt(own, 'backendRefs').filter(isRecord);
        const edited = { ...own, backendRefs: [{ ...stable, weight: 50 }, other] };
        return { ...object, spec: { ...spec, rules: [rule('/help', 'help'), edited] } };
      });
      expect(await codeOf(weigh(driven, 30))).toBe('FOREIGN_CHANGE');
      expect(await backends()).toEqual([['help:1'], ['shop:50', `${workload.name}:0`]]);
      const ofRoute = async () => {
        const { rows } = await driver.proof(driven, 'back');
        return rows.find(({ object }) => object.kind === 'HTTPRoute');
      };
      // Beside the rule of the other one there still is what we put in.
      expect((await ofRoute())?.verdict).toBe('differs');
      await driver.backAll(driven);
      expect(await backends()).toEqual([['help:1'], ['shop:50']]);
      expect(await ofRoute()).toMatchObject({
        verdict: 'foreign-change-preserved',
        fields: ['/spec/rules'],
      });
    });

    test('a weight that no gateway takes is an error with its reason', async () => {
      await site.setGateway(false);
      await site.add(httpRoute(rule('/', 'shop')));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      const request = { ...driven.step, candidate: candidateOf(driven), weightPercent: 30 };
      const wait = site.routes.setWeight({ ...request, deadlineMs: 200 });
      await expect(wait).rejects.toMatchObject({
        type: 'ROUTE_NOT_ACCEPTED',
        message: expect.stringContaining('no gateway reports on the route'),
      });
    });

    test('is refused where the route is missing, shares its traffic, or serves others only', async () => {
      const error = (strategy?: RolloutStrategy) =>
        next(strategy).catch((thrown: unknown) => thrown);
      expect(await error()).toMatchObject({
        type: 'INVALID_INPUT',
        message: expect.stringContaining('HTTPRoute/shop'),
      });
      await site.add(httpRoute(rule('/', 'shop', 'help')));
      expect(await error()).toMatchObject({
        type: 'INVALID_INPUT',
        message: expect.stringContaining('shares its traffic between Service/shop and others'),
      });
      await site.edit(route, (object) => ({
        ...object,
        spec: httpRoute(rule('/', 'help'))['spec'],
      }));
      expect(await error()).toMatchObject({
        type: 'INVALID_INPUT',
        message: expect.stringContaining('no rule sends its traffic to Service/shop'),
      });
      expect(await site.get(refs.deployment)).toBeDefined();
    });

    test('is not taken from another service that has it now', async () => {
      const shared = httpRoute(rule('/', 'shop'));
      const annotations = { 'holdfast.dev/service': `${site.environment}/other` };
      await site.add({ ...shared, metadata: { ...shared.metadata, annotations } });
      expect(await codeOf(next())).toBe('OBJECT_HELD');
    });
  });
};
