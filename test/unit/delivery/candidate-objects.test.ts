import { describe, expect, test } from '@jest/globals';
import { copyJson, recordAt } from '../../../domain/delivery/canonical-json.ts';
import { suffixed } from '../../../domain/delivery/candidate-objects.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { draftOf, labels, service, suffix, workload } from './sample-candidate.ts';

describe('the candidate of a workload', () => {
  test('differs in name and label only, wherever the label is about the own pods', () => {
    const { workload: candidate } = draftOf();
    const own = { app: 'shop-3f9a1c' };
    expect(candidate.metadata).toEqual({ name: 'shop-3f9a1c', labels: { ...labels, ...own } });
    const expected = copyJson(workload('shop:2'));
    const spec = recordAt(expected, 'spec');
    Reflect.deleteProperty(spec, 'paused');
    spec['selector'] = { matchLabels: own };
    const text = JSON.stringify(spec)
      .replaceAll('"matchLabels":{"app":"shop"}', '"matchLabels":{"app":"shop-3f9a1c"}')
      .replace('"labels":{"app":"shop"', '"labels":{"app":"shop-3f9a1c"');
    expect(candidate['spec']).toEqual(JSON.parse(text));
  });

  test('has names and label values that are never too long', () => {
    expect(suffixed('a'.repeat(80), suffix)).toHaveLength(63);
    expect(suffixed('shop', suffix)).toBe('shop-3f9a1c');
  });

  test('is found through a Service inside the cluster, whatever kind the user’s own is', () => {
    const routing = service('shop', labels, {
      type: 'LoadBalancer',
      clusterIP: '10.0.0.7',
      externalIPs: ['192.0.2.1'],
      loadBalancerClass: 'cloud',
      externalTrafficPolicy: 'Local',
      sessionAffinity: 'ClientIP',
      ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }],
    });
    expect(draftOf({ routing }).services).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'shop-3f9a1c' },
        spec: {
          type: 'ClusterIP',
          selector: { app: 'shop-3f9a1c', tier: 'web' },
          ports: [{ name: 'http', port: 80, targetPort: 8080 }],
          sessionAffinity: 'ClientIP',
        },
      },
    ]);
  });

  test('prefers the label by which Kubernetes names an application', () => {
    const all = { 'app.kubernetes.io/name': 'shop', app: 'shop', zone: 'a' };
    const after = workload('shop:2', {
      selector: { matchLabels: all },
      template: { metadata: { labels: all }, spec: {} },
    });
    const routing = service('shop', all);
    const selector = recordAt(draftOf({ after, routing }).services[0], 'spec')['selector'];
    expect(selector).toEqual({ ...all, 'app.kubernetes.io/name': 'shop-3f9a1c' });
  });

  const steps = (weightPercent: number) => [{ weightPercent, forMs: 0 }];
  const route: KubernetesObject = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'shop' },
    spec: { rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }] },
  };

  test.each([
    [1, 1],
    [20, 1],
    [21, 2],
    [99, 5],
  ])('of a canary at %i %% starts with %i of 5 pods', (weightPercent, pods) => {
    const strategy = { type: 'canary' as const, route: 'shop', steps: steps(weightPercent) };
    const draft = draftOf({ strategy, live: { route } });
    expect(draft.startReplicas).toBe(pods);
    expect(draft.candidate.replicas).toBe(5);
  });

  test('has an autoscaler that starts where the candidate does and takes no pod away', () => {
    const autoscaler: KubernetesObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'shop', uid: 'uid-hpa' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
        minReplicas: 2,
        maxReplicas: 4,
        behavior: {
          scaleUp: { selectPolicy: 'Max' },
          scaleDown: { stabilizationWindowSeconds: 9 },
        },
      },
    };
    const behavior = {
      scaleUp: { selectPolicy: 'Max' },
      scaleDown: { stabilizationWindowSeconds: 9, selectPolicy: 'Disabled' },
    };
    const live = { autoscalers: [autoscaler] };
    const copied = draftOf({ live });
    expect(copied.autoscaler?.['spec']).toMatchObject({
      scaleTargetRef: { name: 'shop-3f9a1c' },
      minReplicas: 5,
      maxReplicas: 5,
      behavior,
    });
    expect(copied.borrowed.map(({ verb, lastStep }) => `${verb}, ${lastStep}`)).toEqual([
      'freeze, unfreeze HorizontalPodAutoscaler/shop',
      'switch, return Service/shop',
    ]);
    const strategy = { type: 'canary' as const, route: 'shop', steps: steps(20) };
    const canary = draftOf({ strategy, live: { ...live, route } });
    expect(canary.autoscaler?.['spec']).toMatchObject({ minReplicas: 1, maxReplicas: 4 });
  });

  test('has a budget of its own only where the user’s one does not count it too', () => {
    const budget = (name: string, matchLabels: object): KubernetesObject => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name },
      spec: { maxUnavailable: 1, selector: { matchLabels } },
    });
    const budgets = [
      budget('by-app', { app: 'shop' }),
      budget('by-tier', { tier: 'web' }),
      budget('of-others', { app: 'database' }),
    ];
    expect(draftOf({ live: { budgets } }).budgets).toEqual([
      {
        ...budget('by-app-3f9a1c', {}),
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'shop-3f9a1c' } } },
      },
    ]);
  });
});
