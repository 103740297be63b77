import { describe, expect, test } from '@jest/globals';
import { listAt, recordAt } from '../../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { previewRoute } from '../../../domain/delivery/preview-route.ts';
import { draftOf, problemsOf } from './sample-candidate.ts';

const header = { name: 'X-Preview', value: 'next' };
const pinned = { type: 'Exact', ...header };
const pairs = [{ stable: 'shop', candidate: 'shop-3f9a1c' }];
const path = (value: string) => ({ path: { type: 'PathPrefix', value } });

const routeOf = (kind: string, ...rules: object[]): KubernetesObject => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind,
  metadata: { name: 'shop', uid: 'uid-route', annotations: { some: 'note' } },
  spec: {
    parentRefs: [{ name: 'web', sectionName: 'https' }, { name: 'internal' }],
    hostnames: ['shop.example'],
    rules,
  },
});

const made = (route: KubernetesObject) => previewRoute(route, pairs, { header, suffix: '3f9a1c' });
const rulesIn = (route: KubernetesObject): unknown[] => listAt(route, 'spec', 'rules');

describe('the route that pins requests to the candidate', () => {
  test('has the parents, hosts and rules of the user’s and one header more, and leaves that alone', () => {
    const own = routeOf(
      'HTTPRoute',
      {
        name: 'main',
        matches: [path('/'), { ...path('/api'), headers: [{ name: 'X-Tenant', value: 'a' }] }],
        filters: [{ type: 'URLRewrite' }],
        backendRefs: [{ name: 'shop', port: 80, weight: 3 }],
      },
      { matches: [path('/help')], backendRefs: [{ name: 'help', port: 80 }] },
    );
    const before = JSON.stringify(own);
    const { route, problems } = made(own);
    expect(JSON.stringify(own)).toBe(before);
    expect(problems).toEqual([]);
    expect(route.metadata).toEqual({ name: 'shop-3f9a1c' });
    const { parentRefs, hostnames } = recordAt(own, 'spec');
    expect(recordAt(route, 'spec')).toMatchObject({ parentRefs, hostnames });
    expect(rulesIn(route)).toEqual([
      {
        matches: [
          { ...path('/'), headers: [pinned] },
          { ...path('/api'), headers: [{ name: 'X-Tenant', value: 'a' }, pinned] },
        ],
        filters: [{ type: 'URLRewrite' }],
        backendRefs: [{ name: 'shop-3f9a1c', port: 80 }],
      },
    ]);
  });

  test('also where a rule matches everything, and for gRPC', () => {
    const { route } = made(routeOf('GRPCRoute', { backendRefs: [{ name: 'shop', port: 80 }] }));
    expect(route.kind).toBe('GRPCRoute');
    expect(rulesIn(route)).toEqual([
      { matches: [{ headers: [pinned] }], backendRefs: [{ name: 'shop-3f9a1c', port: 80 }] },
    ]);
  });

  const strategy = { type: 'canary' as const, route: 'shop', steps: [] };
  const live = { route: routeOf('HTTPRoute', { backendRefs: [{ name: 'shop', port: 80 }] }) };

  test('is part of the draft only where a route is named and a header is asked for', () => {
    const draft = draftOf({ strategy, live, previewHeader: header });
    expect(draft.routes.map(({ metadata }) => metadata.name)).toEqual(['shop-3f9a1c']);
    expect(draft.candidate.pinned).toMatchObject({ header, route: { name: 'shop-3f9a1c' } });
    expect(draftOf({ strategy, live }).routes).toEqual([]);
    const without = draftOf({ previewHeader: header });
    expect(without.routes).toEqual([]);
    expect(without.warnings.join('\n')).toContain('no route is named');
  });

  test('is refused where a rule decides by this header already', () => {
    const matches = [{ headers: [{ name: 'x-preview', value: 'old' }] }];
    const route = routeOf('HTTPRoute', { matches, backendRefs: [{ name: 'shop', port: 80 }] });
    expect(problemsOf({ strategy, live: { route }, previewHeader: header })).toBe(
      'previewHeader.name cannot pin requests: a rule decides by the header X-Preview already',
    );
  });
});
