import { describe, expect, test } from '@jest/globals';
import { draftCandidate } from '../../../domain/delivery/candidate-draft.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { matchesSelector } from '../../../domain/delivery/label-selector.ts';
import { draftOf, factsOf, labels, problemsOf, service, workload } from './sample-candidate.ts';

describe('a candidate is not brought up', () => {
  test('where nothing runs, or nothing routes to it', () => {
    const idle = workload('shop:1', { replicas: 0 });
    expect(draftCandidate(factsOf({ live: { stable: idle } }))).toEqual({
      act: 'in-place',
      warnings: ['Deployment/shop is updated in place: it has no pods now.'],
    });
    expect(draftCandidate(factsOf({ routing: service('other', { app: 'other' }) }))).toEqual({
      act: 'in-place',
      warnings: ['Deployment/shop is updated in place: no Service routes to it.'],
    });
  });

  test('where a Service would send to both versions at once', () => {
    const own = service('shop', { app: 'shop' });
    const byTier = service('by-tier', { tier: 'web' });
    expect(problemsOf({ live: { services: [own, byTier] } })).toContain(
      'Service/by-tier selects the pods of Deployment/shop by other labels',
    );
  });

  test('where switching its Service would take the traffic from another workload', () => {
    const twin = { ...workload('shop:1'), metadata: { name: 'shop-twin' } };
    const workloads = [workload('shop:1'), twin];
    expect(problemsOf({ live: { workloads } })).toContain(
      'Service/shop routes to Deployment/shop-twin too',
    );
  });

  const policy = (spec: object): KubernetesObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'guard' },
    spec: { podSelector: { matchLabels: { app: 'database' } }, ...spec },
  });
  const byApp = { podSelector: { matchLabels: { app: 'shop' } } };
  const byExpression = {
    podSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['shop', 'pay'] }] },
  };

  test.each([
    ['is for its pods', policy(byApp)],
    ['lets its pods in', policy({ ingress: [{ from: [byExpression] }] })],
    ['lets others out to its pods', policy({ egress: [{ to: [byApp] }] })],
    [
      'lets its pods in from anywhere',
      policy({ ingress: [{ from: [{ ...byApp, namespaceSelector: {} }] }] }),
    ],
  ])('where a policy %s', (_, found) => {
    expect(problemsOf({ live: { policies: [found] } })).toContain(
      'NetworkPolicy/guard knows the pods by app=shop',
    );
  });

  test.each([
    ['knows them by another label', policy({ podSelector: { matchLabels: { tier: 'web' } } })],
    ['is for all pods', policy({ podSelector: {} })],
    [
      'is about another namespace',
      policy({
        ingress: [{ from: [{ ...byApp, namespaceSelector: { matchLabels: { a: 'b' } } }] }],
      }),
    ],
  ])('but it is where a policy %s', (_, found) => {
    expect(problemsOf({ live: { policies: [found] } })).toBe('beside');
  });

  test('and where policies may not be read, the plan says that it does not know', () => {
    const { warnings } = draftOf({ live: { policies: undefined } });
    expect(warnings.join('\n')).toContain('Whether a NetworkPolicy keeps');
    expect(draftOf().warnings.join('\n')).not.toContain('NetworkPolicy');
  });
});

describe('a label selector', () => {
  test.each([
    [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['shop'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    [
      { matchLabels: { app: 'shop' }, matchExpressions: [{ key: 'zone', operator: 'Exists' }] },
      false,
    ],
    [{}, true],
    [undefined, false],
  ])('%j', (selector, matches) => {
    expect(matchesSelector(selector, labels)).toBe(matches);
  });
});
