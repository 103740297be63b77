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
import type { DrivenRelease, PrepareOptions, ReleaseSite } from './release-driver.ts';

const canary: RolloutStrategy = {
  type: 'canary',
  route: 'shop',
  steps: [{ weightPercent: 30, forMs: 0 }],
};
const header = { name: 'X-Preview', value: 'next' };

type Kind = 'HTTPRoute' | 'GRPCRoute';
const refOf = (kind: Kind, name = 'shop') => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  name,
});

const routeOf = (kind: Kind, { name = 'shop', parents = ['web'] } = {}): KubernetesObject => {
  const { apiVersion } = refOf(kind);
  const matches = kind === 'GRPCRoute' ? [{ method: { service: 'shop.Cart' } }] : undefined;
  const rule = {
    ...(matches === undefined ? {} : { matches }),
    backendRefs: [{ name: 'shop', port: 80 }],
  };
  const parentRefs = parents.map((parent) => ({ name: parent }));
  return { apiVersion, kind, metadata: { name }, spec: { parentRefs, rules: [rule] } };
};

/** What else there is on the way of users: gRPC, other routes, several parents, a pinned preview. */
export const describeMoreRoutes = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`routes of other shapes on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;
    let first: DrivenRelease;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
      first = await driver.deployed('1', 1, { replicas: 4 });
      await site.setGateway(true);
    });

    const next = async (options: Partial<PrepareOptions> = {}): Promise<DrivenRelease> =>
      driver.prepare('2', 2, {
        replicas: 4,
        image: 'registry.example/shop:2',
        previous: first,
        strategy: canary,
        ...options,
      });

    const weigh = (driven: DrivenRelease, weightPercent: number) => {
      const candidate = candidateOf(driven);
      const request = { ...driven.step, candidate, weightPercent, deadlineMs: 10_000 };
      return site.routes.setWeight(request);
    };

    const weights = async (kind: Kind, route = 'shop'): Promise<(number | string)[]> => {
      const [rule] = listAt(await site.get(refOf(kind, route)), 'spec', 'rules');
      return listAt(rule, 'backendRefs').map((backend) => numberAt(backend, 'weight') ?? 1);
    };

    test('a GRPCRoute gives its share there and back, and ends as it was', async () => {
      await site.add(routeOf('GRPCRoute'));
      const before = recordAt(await site.get(refOf('GRPCRoute')), 'spec');
      const driven = await next();
      expect(stepsOf(driven)).toContain('stage: open GRPCRoute/shop');
      await driver.forwardTo(driven, 'stage');
      expect(await weigh(driven, 30)).toMatchObject({ opened: true, changed: true });
      expect(await weights('GRPCRoute')).toEqual([70, 30]);
      await weigh(driven, 100);
      await driver.forwardTo(driven, 'update');
      await weigh(driven, 0);
      await driver.forwardTo(driven, 'return');
      expect(recordAt(await site.get(refOf('GRPCRoute')), 'spec')).toEqual(before);
      expect(isExact(await driver.proof(driven, 'forward'))).toBe(true);
      await driver.clearUp(driven);
      await driver.backAll(driven);
      expect(recordAt(await site.get(refOf('GRPCRoute')), 'spec')).toEqual(before);
    });

    test('a GRPCRoute that was opened is put back exactly', async () => {
      await site.add(routeOf('GRPCRoute'));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      await weigh(driven, 60);
      await driver.backAll(driven);
      expect(await weights('GRPCRoute')).toEqual([1]);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('of several routes to the Service only the named one is weighed; the plan says so', async () => {
      await site.add(routeOf('HTTPRoute'));
      await site.add(routeOf('HTTPRoute', { name: 'partners' }));
      const untouched = await site.get(refOf('HTTPRoute', 'partners'));
      const driven = await next();
      expect(driven.plan.warnings.join('\n')).toContain(
        'HTTPRoute/partners sends to Service/shop too, and all of it stays with the old version',
      );
      await driver.forwardTo(driven, 'stage');
      await weigh(driven, 30);
      expect(await weights('HTTPRoute')).toEqual([70, 30]);
      const live = await site.get(refOf('HTTPRoute', 'partners'));
      expect(recordAt(live, 'spec')).toEqual(recordAt(untouched, 'spec'));
      await driver.backAll(driven);
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
    });

    test('every parent must have taken a weight, not only the first', async () => {
      await site.add(routeOf('HTTPRoute', { parents: ['web', 'internal'] }));
      const driven = await next();
      await driver.forwardTo(driven, 'stage');
      expect(await weigh(driven, 30)).toMatchObject({ opened: true });
      await site.setGateway(['web']);
      const wait = site.routes.setWeight({
        ...driven.step,
        candidate: candidateOf(driven),
        weightPercent: 50,
        deadlineMs: 300,
      });
      await expect(wait).rejects.toMatchObject({
        type: 'ROUTE_NOT_ACCEPTED',
        message: expect.stringContaining('Gateway/internal'),
      });
      await site.setGateway(true);
      await weigh(driven, 0);
    });

    test('a header pins requests to the candidate by a route of its own, which goes with it', async () => {
      await site.add(routeOf('HTTPRoute'));
      const driven = await next({ previewHeader: header });
      expect(stepsOf(driven)).toContain('stage: create HTTPRoute/shop-SUFFIX');
      const { workload, pinned } = candidateOf(driven);
      expect(pinned).toMatchObject({ header, route: { kind: 'HTTPRoute', name: workload.name } });
      await driver.forwardTo(driven, 'stage');
      const request = { ...driver.target, route: pinned?.route ?? refOf('HTTPRoute') };
      await site.routes.awaitTaken({ ...request, deadlineMs: 10_000 });
      const [rule] = listAt(await site.get(refOf('HTTPRoute', workload.name)), 'spec', 'rules');
      const [backend] = listAt(rule, 'backendRefs').filter(isRecord);
      expect(stringAt(backend, 'name')).toBe(workload.name);
      expect(await weights('HTTPRoute')).toEqual([100, 0]);
      await driver.backAll(driven);
      expect(await site.get(refOf('HTTPRoute', workload.name))).toBeUndefined();
      expect(isExact(await driver.proof(driven, 'back'))).toBe(true);
      await expect(site.routes.awaitTaken({ ...request, deadlineMs: 100 })).rejects.toMatchObject({
        type: 'ROUTE_NOT_ACCEPTED',
      });
    });

    test('a preview route that was left behind is swept with everything else', async () => {
      await site.add(routeOf('HTTPRoute'));
      const driven = await next({ previewHeader: header });
      await driver.forwardTo(driven, 'stage');
      const { workload } = candidateOf(driven);
      const { deleted } = await site.releases.prune({
        ...driver.target,
        epoch: 4,
        keepReleases: ['1'],
        unwoundReleases: ['2'],
      });
      expect(deleted).toContainEqual(refOf('HTTPRoute', workload.name));
      expect(await site.get(refOf('HTTPRoute'))).toBeDefined();
    });
  });
};
