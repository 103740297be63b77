import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import { normalise } from '../e2e/checker/ignore-list.ts';
import type { RawObject } from '../e2e/checker/namespace-snapshot.ts';
import { candidateOf, createCandidateDriver } from './candidate-driver.ts';
import { codeOf, refs, type DrivenRelease, type ReleaseSite } from './release-driver.ts';
import { sampleService } from './sample-service.ts';

const strategies: readonly RolloutStrategy[] = [
  { type: 'rolling' },
  { type: 'blue-green', steps: [], retainMs: 0 },
  { type: 'blue-green', route: 'shop', steps: [], retainMs: 0 },
  { type: 'canary', route: 'shop', steps: [{ weightPercent: 40, forMs: 0 }] },
];

const word = fc.constantFrom('hello', 'hi', 'servus', 'moin');

const version = fc.record({
  image: fc.constantFrom('registry.example/shop:1', 'registry.example/shop:2'),
  replicas: fc.integer({ min: 1, max: 3 }),
  greeting: word,
  password: word,
  team: word,
  colour: word,
  mostReplicas: fc.integer({ min: 3, max: 5 }),
  mayBeAway: fc.integer({ min: 1, max: 2 }),
});

const kinds = ['Secret', 'PodDisruptionBudget', 'HorizontalPodAutoscaler'] as const;

const story = fc.record({
  /** Kinds beside ConfigMap, Service and Deployment: there from the first version on, or new. */
  first: fc.subarray([...kinds]),
  added: fc.subarray([...kinds]),
  before: version,
  after: version,
  strategy: fc.constantFrom(...strategies),
  weightPercent: fc.integer({ min: 1, max: 100 }),
  /** How far the release gets, as a share of its writes. */
  failsAt: fc.double({ min: 0, max: 1, noNaN: true }),
});

type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;
type Version = Story['before'];

const httpRoute: KubernetesObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop' },
  spec: {
    parentRefs: [{ name: 'web' }],
    rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
  },
};

const secret = (password: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'shop-credentials' },
  stringData: { password },
});

/** What differs in the objects of a version, by kind. */
const changesOf = (seen: Version): Record<string, (object: KubernetesObject) => object> => ({
  Service: ({ metadata }) => ({ metadata: { ...metadata, labels: { team: seen.team } } }),
  PodDisruptionBudget: ({ spec }) => ({
    spec: { ...(spec as object), maxUnavailable: seen.mayBeAway },
  }),
  HorizontalPodAutoscaler: ({ spec }) => ({
    spec: { ...(spec as object), maxReplicas: seen.mostReplicas },
  }),
});

const manifests = (seen: Version, extra: readonly string[]): KubernetesObject[] => {
  const { image, replicas, greeting, colour } = seen;
  const service = sampleService({
    image,
    replicas,
    greeting,
    env: { COLOUR: colour },
    autoscaled: true,
  });
  const isLeftOut = ({ kind }: KubernetesObject): boolean =>
    kinds.some((one) => one === kind) && !extra.includes(kind);
  return [...service, secret(seen.password)]
    .filter((object) => !isLeftOut(object))
    .map((object) => ({ ...object, ...changesOf(seen)[object.kind]?.(object) }));
};

/** Everything that a release may touch, or might touch by mistake. */
const watched: readonly ObjectRef[] = [
  refs.deployment,
  refs.service,
  refs.banner,
  { apiVersion: 'v1', kind: 'ConfigMap', name: 'shop-settings' },
  { apiVersion: 'v1', kind: 'ConfigMap', name: 'of-someone-else' },
  { apiVersion: 'v1', kind: 'Secret', name: 'shop-credentials' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', name: 'shop' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'shop' },
  { apiVersion: httpRoute.apiVersion, kind: httpRoute.kind, name: 'shop' },
];

/** Content and uid of each object. Replicas that an autoscaler owns are nobody else's. */
const contentOf = async (site: ReleaseSite, isAutoscaled: boolean): Promise<unknown[]> =>
  Promise.all(
    watched.map(async (ref) => {
      const found = await site.get(ref);
      if (found === undefined) return [ref.kind, ref.name, 'is not there'];
      const { uid } = found.metadata;
      const content = normalise(found as RawObject) as { spec?: Record<string, unknown> };
      if (ref.kind !== 'Deployment' || !isAutoscaled) return [ref.kind, uid, content];
      const { replicas: _owned, ...spec } = content.spec ?? {};
      return [ref.kind, uid, { ...content, spec }];
    }),
  );

/** Carries out the first writes of the plan, moves traffic where there is some, and stops there. */
const failAfter = async (
  site: ReleaseSite,
  driven: DrivenRelease,
  { weightPercent, failsAt }: Story,
): Promise<void> => {
  const driver = createCandidateDriver(site);
  const writes = driven.plan.changes.filter(({ action }) => action !== 'keep');
  const made = writes.slice(0, Math.round(failsAt * writes.length));
  for (const [index, change] of made.entries()) {
    await driver.write(driven, change);
    const isStaged = change.phase === 'stage' && writes[index + 1]?.phase !== 'stage';
    if (!isStaged || candidateOf(driven).route === undefined) continue;
    const request = { ...driven.step, candidate: candidateOf(driven), deadlineMs: 20_000 };
    await site.routes.setWeight({ ...request, weightPercent });
  }
};

const giveBack = async (site: ReleaseSite, driven: DrivenRelease): Promise<void> => {
  const driver = createCandidateDriver(site);
  const { candidate } = driven.plan;
  if (candidate?.route !== undefined) {
    const step = { ...driven.step, epoch: driven.step.epoch + 1, candidate };
    await site.routes.setWeight({ ...step, weightPercent: 0, deadlineMs: 20_000 });
  }
  await driver.backAll(driven);
};

const tell = async (openSite: () => Promise<ReleaseSite>, told: Story): Promise<void> => {
  const site = await openSite();
  const driver = createCandidateDriver(site);
  await site.setGateway(true);
  await site.add({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-someone-else' } });
  const first = await driver.deployed('1', 1, { objects: manifests(told.before, told.first) });
  await site.add(httpRoute);
  const { replicaSet } = await driver.awaitServing(refs.deployment);
  const isAutoscaled = told.first.includes('HorizontalPodAutoscaler');
  const before = await contentOf(site, isAutoscaled);
  const second = await driver.prepare('2', 2, {
    objects: manifests(told.after, [...told.first, ...told.added]),
    previous: first,
    strategy: told.strategy,
  });
  await failAfter(site, second, told);
  await giveBack(site, second);
  expect((await driver.awaitServing(refs.deployment)).replicaSet).toEqual(replicaSet);
  expect(await contentOf(site, isAutoscaled)).toEqual(before);
  const { rows } = await driver.proof(second, 'back');
  expect(rows.filter(({ verdict }) => verdict !== 'exact')).toEqual([]);
  expect(rows.filter(({ hashBefore, hashAfter }) => hashBefore !== hashAfter)).toEqual([]);
};

const storiesAtATime = 4;
const seed = 20_261_121;

/** What the way back promises, whatever was released and wherever it failed. */
export const describeExactRestore = (
  name: string,
  openSite: () => Promise<ReleaseSite>,
  stories = 16,
): void => {
  describe(`I-2 exact restore on ${name}`, () => {
    test('of random objects, from a random step, by every strategy: every object is equal, the old ReplicaSet runs', async () => {
      const todo = fc.sample(story, { numRuns: stories, seed });
      const lane = async (): Promise<void> => {
        for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
          const told = next;
          await tell(openSite, told).catch((error: unknown) => {
            throw new Error(`in the story ${JSON.stringify(told)}`, { cause: error });
          });
        }
      };
      await Promise.all(Array.from({ length: storiesAtATime }, lane));
    });

    test.each(['Job', 'CustomResourceDefinition'])(
      'a %s, which could not be put back, is refused before anything is touched',
      async (kind) => {
        const site = await openSite();
        const driver = createCandidateDriver(site);
        const apiVersion = kind === 'Job' ? 'batch/v1' : 'apiextensions.k8s.io/v1';
        const objects = [...sampleService(), { apiVersion, kind, metadata: { name: 'shop' } }];
        expect(await codeOf(driver.prepare('1', 1, { objects }))).toBe('MANIFEST_KIND_UNSUPPORTED');
        const found = await Promise.all(watched.map((ref) => site.get(ref)));
        expect(found.filter((object) => object !== undefined)).toEqual([]);
      },
    );
  });
};
