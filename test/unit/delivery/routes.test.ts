import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isRecord, listAt } from '../../../domain/delivery/canonical-json.ts';
import { guardedPatch } from '../../../domain/delivery/guarded-patch.ts';
import { applyPatch } from '../../../domain/delivery/json-patch.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { fenceOf } from '../../../domain/delivery/object-fence.ts';
import { routeAcceptance } from '../../../domain/delivery/route-acceptance.ts';
import { closedRoute, openedRoute } from '../../../domain/delivery/route-opening.ts';
import { decideWeight } from '../../../domain/delivery/route-weights.ts';

const pairs = [
  { stable: 'shop', candidate: 'shop-3f9a1c' },
  { stable: 'shop-grpc', candidate: 'shop-grpc-3f9a1c' },
];

const forward = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };

const routeOf = (rules: object[], metadata: object = {}): KubernetesObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop', namespace: 'staging', uid: 'uid-1', generation: 1, ...metadata },
  spec: { hostnames: ['shop.example'], rules },
});

const backend = (name: string, weight?: number) => ({
  group: '',
  kind: 'Service',
  name,
  port: 80,
  ...(weight === undefined ? {} : { weight }),
});

const ruleTo = (path: string, ...backendRefs: object[]) => ({
  matches: [{ path: { type: 'PathPrefix', value: path } }],
  backendRefs,
});

const weightsIn = (route: KubernetesObject): string[][] =>
  listAt(route, 'spec', 'rules').map((rule) =>
    listAt(rule, 'backendRefs')
      .filter(isRecord)
      .map(({ name, weight }) => `${JSON.stringify(name)} ${JSON.stringify(weight)}`),
  );

const ownRule = fc
  .tuple(
    fc.constantFrom('/', '/cart', '/pay'),
    fc.constantFrom('shop', 'shop-grpc'),
    fc.constantFrom(undefined, 1, 7, 100),
  )
  .map(([path, name, weight]) => ruleTo(path, backend(name, weight)));

const foreignRule = fc
  .constantFrom('/help', '/static')
  .map((path) => ruleTo(path, backend('help', 3), backend('docs')));

const rules = fc
  .tuple(fc.array(foreignRule, { maxLength: 2 }), ownRule, fc.array(fc.oneof(ownRule, foreignRule)))
  .map(([before, own, after]) => [...before, own, ...after]);

const weighed = (
  route: KubernetesObject,
  weightPercent: number,
  opened: number,
): KubernetesObject => {
  const decision = decideWeight(route, { pairs, opened, weightPercent }, forward);
  if (decision.act !== 'patch') throw new Error(`no patch but ${decision.act}`);
  return applyPatch(route, guardedPatch(route, decision.target));
};

const openIn = (route: KubernetesObject): number =>
  JSON.stringify(weightsIn(route)).split('-3f9a1c').length - 1;

describe('a route that is opened for a candidate', () => {
  test('serves as before, and is exactly as before when it is closed again, at any weight', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 0, max: 100 }), (made, weightPercent) => {
        const route = routeOf(made);
        const { target, problems } = openedRoute(route, pairs);
        expect(problems).toEqual([]);
        const moved = weighed(target, weightPercent, openIn(target));
        expect(fenceOf(moved)).toBe(4);
        const { spec } = closedRoute(moved, route, pairs) as { spec?: unknown };
        expect(spec).toEqual(route['spec']);
      }),
    );
  });

  test('names the candidate nowhere when it is closed, whatever was done to its rules', () => {
    fc.assert(
      fc.property(rules, rules, fc.integer({ min: 0, max: 100 }), (made, added, weight) => {
        const route = routeOf(made);
        const { target } = openedRoute(route, pairs);
        const opened = listAt(target, 'spec', 'rules').toReversed();
        const edited = routeOf([...added, ...opened.filter(isRecord)]);
        const own = listAt(listAt(edited, 'spec', 'rules').at(-1), 'backendRefs').at(-1);
        if (isRecord(own)) own['weight'] = weight;
        const closed = closedRoute(edited, route, pairs);
        expect(JSON.stringify(closed)).not.toContain('-3f9a1c');
        const empty = listAt(closed, 'spec', 'rules').filter(
          (rule) => listAt(rule, 'backendRefs').length === 0,
        );
        expect(empty).toEqual([]);
      }),
    );
  });

  test('keeps a weight that someone else set, but never one that serves nobody', () => {
    const route = routeOf([ruleTo('/', backend('shop', 1))]);
    const with20 = (weight: number) =>
      routeOf([ruleTo('/', backend('shop', weight), backend('shop-3f9a1c', 20))]);
    expect(weightsIn(closedRoute(with20(50), route, pairs))).toEqual([['"shop" 50']]);
    expect(weightsIn(closedRoute(with20(0), route, pairs))).toEqual([['"shop" 1']]);
    expect(weightsIn(closedRoute(with20(80), route, pairs))).toEqual([['"shop" 1']]);
  });

  test('gives each rule the weight it had, also when someone else has put them in another order', () => {
    const route = routeOf([ruleTo('/', backend('shop', 7)), ruleTo('/pay', backend('shop', 3))]);
    const { target } = openedRoute(route, pairs);
    const turned = routeOf(listAt(target, 'spec', 'rules').filter(isRecord).toReversed());
    expect(weightsIn(closedRoute(turned, route, pairs))).toEqual([['"shop" 3'], ['"shop" 7']]);
  });

  test('is not opened for a rule of others, of another namespace, or that serves nobody', () => {
    const elsewhere = { ...backend('shop'), namespace: 'production' };
    const route = routeOf([
      ruleTo('/', elsewhere),
      ruleTo('/off', backend('shop', 0)),
      ruleTo('/help', backend('help')),
    ]);
    const { target, problems } = openedRoute(route, pairs);
    expect(target).toEqual(route);
    expect(problems).toEqual(['no rule sends its traffic to Service/shop, Service/shop-grpc']);
    const here = routeOf([ruleTo('/', { ...backend('shop'), namespace: 'staging' })]);
    expect(openedRoute(here, pairs).problems).toEqual([]);
  });
});

describe('a weight', () => {
  const open = openedRoute(
    routeOf([ruleTo('/', backend('shop')), ruleTo('/x', backend('help'))]),
    pairs,
  ).target;
  const wanted = { pairs, opened: 1, weightPercent: 30 };

  test('is written once, and found by the next attempt', () => {
    const there = weighed(open, 30, 1);
    expect(weightsIn(there)[0]).toEqual(['"shop" 70', '"shop-3f9a1c" 30']);
    expect(weightsIn(there)[1]).toEqual(weightsIn(open)[1]);
    expect(decideWeight(there, wanted, forward)).toEqual({ act: 'nothing' });
  });

  test('that is there already still raises the fence for the way back', () => {
    const decision = decideWeight(
      weighed(open, 0, 1),
      { ...wanted, weightPercent: 0 },
      { ...forward, epoch: 5 },
    );
    expect(decision).toMatchObject({ act: 'patch', changes: false });
  });

  test('is left alone where only a greater share is to be made less', () => {
    const less = { ...wanted, weightPercent: 60, onlyLess: true };
    expect(decideWeight(weighed(open, 30, 1), less, forward)).toEqual({ act: 'nothing' });
    const decision = decideWeight(weighed(open, 90, 1), less, forward);
    if (decision.act !== 'patch') throw new Error(decision.act);
    expect(weightsIn(decision.target)[0]).toEqual(['"shop" 40', '"shop-3f9a1c" 60']);
  });

  test('is refused where a newer epoch was there', () => {
    const decision = decideWeight(weighed(open, 30, 1), wanted, { ...forward, epoch: 3 });
    expect(decision).toMatchObject({ act: 'refuse', code: 'FENCED' });
  });

  test.each([
    ['the sum is not 100', [backend('shop', 60), backend('shop-3f9a1c', 30)], 'sum is 90'],
    [
      'a backend was added',
      [backend('shop', 100), backend('shop-3f9a1c', 0), backend('help', 5)],
      'changed the backends',
    ],
    ['the own backend is gone', [backend('shop-3f9a1c', 100)], 'changed the backends'],
  ])('is refused where %s', (_, backends, reason) => {
    const decision = decideWeight(routeOf([ruleTo('/', ...backends)]), wanted, forward);
    expect(decision).toMatchObject({ act: 'refuse', code: 'FOREIGN_CHANGE' });
    expect(JSON.stringify(decision)).toContain(reason);
  });

  test('is refused where one of several rules does not name the candidate any more', () => {
    const decision = decideWeight(open, { ...wanted, opened: 2 }, forward);
    expect(decision).toMatchObject({ act: 'refuse', code: 'FOREIGN_CHANGE' });
  });

  test('has no meaning for a route that was never opened', () => {
    const closed = routeOf([ruleTo('/', backend('shop'))]);
    expect(decideWeight(closed, wanted, forward)).toEqual({ act: 'not-open' });
  });
});

describe('what gateways report', () => {
  const parent = (conditions: object[]) => ({ parentRef: { name: 'web' }, conditions });
  const condition = (type: string, over: object = {}) => ({
    type,
    status: 'True',
    observedGeneration: 4,
    ...over,
  });
  const taken = parent([condition('Accepted'), condition('ResolvedRefs')]);
  const seen = (...parents: object[]) =>
    routeAcceptance({ ...routeOf([]), status: { parents } }, 4);

  test('is an acceptance only when every parent speaks of the generation', () => {
    expect(seen(taken)).toEqual({ accepted: true, missing: [] });
    expect(seen(taken, taken).accepted).toBe(true);
  });

  test.each([
    ['nobody reports', [], 'no gateway reports on the route'],
    [
      'one of two is behind',
      [
        taken,
        parent([condition('Accepted', { observedGeneration: 3 }), condition('ResolvedRefs')]),
      ],
      'Gateway/web: Accepted speaks of generation 3, not of 4',
    ],
    [
      'a backend is not known yet',
      [
        parent([
          condition('Accepted'),
          condition('ResolvedRefs', {
            status: 'False',
            reason: 'BackendNotFound',
            message: 'shop-3',
          }),
        ]),
      ],
      'Gateway/web: ResolvedRefs is False (BackendNotFound: shop-3)',
    ],
    [
      'a condition is missing',
      [parent([condition('Accepted')])],
      'Gateway/web: ResolvedRefs is not reported',
    ],
  ])('is none where %s', (_, parents, reason) => {
    expect(seen(...parents)).toEqual({ accepted: false, missing: [reason] });
  });
});
