import { describe, expect, test } from '@jest/globals';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import { surges } from '../../../domain/delivery/candidate-by-pods.ts';
import { matchesPlainSelector, matchesSelector } from '../../../domain/delivery/label-selector.ts';
import { draftOf, labels, problemsOf, service, workload } from './sample-candidate.ts';

const canary = (...weights: number[]) => ({
  type: 'canary' as const,
  steps: weights.map((weightPercent) => ({ weightPercent, forMs: 0 })),
});
const strategy = canary(10, 50);
const added = { 'holdfast.dev/candidate': '3f9a1c' };

describe('a canary without a route', () => {
  const {
    workload: made,
    services,
    borrowed,
    candidate,
    startReplicas,
    warnings,
  } = draftOf({
    strategy,
  });

  test('has the labels of the stable pods and one more, so that the Services take both', () => {
    const template = recordAt(made, 'spec', 'template', 'metadata')['labels'];
    expect(template).toEqual({ ...labels, ...added });
    expect(matchesPlainSelector({ app: 'shop' }, { ...labels, ...added })).toBe(true);
    expect(recordAt(made, 'spec')['selector']).toEqual({ matchLabels: { app: 'shop', ...added } });
    expect(matchesSelector(recordAt(made, 'spec')['selector'], labels)).toBe(false);
    expect(recordAt(services[0], 'spec')['selector']).toEqual({ app: 'shop', ...added });
    const { affinity, topologySpreadConstraints } = recordAt(made, 'spec', 'template', 'spec');
    const own = recordAt(workload('shop:2'), 'spec', 'template', 'spec');
    expect({ affinity, topologySpreadConstraints }).toEqual({
      affinity: own['affinity'],
      topologySpreadConstraints: own['topologySpreadConstraints'],
    });
  });

  test('is also told apart where the selector has expressions only', () => {
    const expression = { key: 'app', operator: 'In', values: ['shop'] };
    const after = workload('shop:2', { selector: { matchExpressions: [expression] } });
    const selector = recordAt(draftOf({ strategy, after }).workload, 'spec')['selector'];
    expect(selector).toEqual({ matchExpressions: [expression], matchLabels: added });
  });

  test('borrows nothing, starts with the pods of its first share, and says what shares come to', () => {
    expect(borrowed).toEqual([]);
    expect(candidate).toMatchObject({ replicas: 5, byPods: { surges: true } });
    expect(candidate).not.toHaveProperty('route');
    expect(startReplicas).toBe(1);
    expect(warnings.join('\n')).toContain('10 % is 1 of 6 pods, 16.7 %; 50 % is 3 of 6 pods, 50 %');
    expect(warnings.join('\n')).toContain('behind Service/shop as soon as they are ready');
  });

  test('is refused where an autoscaler would fight over the numbers, there already or new', () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'shop' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' } },
    };
    expect(problemsOf({ strategy, live: { autoscalers: [autoscaler] } })).toBe(
      'strategy.route is missing, so that the numbers of pods would make the share, but HorizontalPodAutoscaler/shop owns that of Deployment/shop; name a route',
    );
  });

  test('is refused where a share leaves one version without a pod', () => {
    const single = workload('shop:1', {
      replicas: 1,
      strategy: { rollingUpdate: { maxSurge: 0 } },
    });
    expect(problemsOf({ strategy, live: { stable: single } })).toContain(
      'strategy.steps[0].weight cannot be had: 10 % of the pods of Deployment/shop are 0 of 1 pods, 0 %',
    );
  });

  test('is refused where other pods are behind the Service too', () => {
    const twin = { ...workload('shop:1'), metadata: { name: 'shop-twin' } };
    expect(problemsOf({ strategy, live: { workloads: [workload('shop:1'), twin] } })).toContain(
      'Service/shop routes to Deployment/shop-twin too',
    );
  });

  test('says where clients stick to a pod', () => {
    const sticky = service('shop', { app: 'shop' }, { sessionAffinity: 'ClientIP' });
    expect(draftOf({ strategy, routing: sticky }).warnings.join('\n')).toContain(
      'Service/shop keeps a client on one pod',
    );
  });

  test.each([
    [undefined, true],
    [{ rollingUpdate: { maxSurge: '25%' } }, true],
    [{ rollingUpdate: { maxSurge: 1 } }, true],
    [{ rollingUpdate: { maxSurge: 0 } }, false],
    [{ rollingUpdate: { maxSurge: '0%' } }, false],
    [{ type: 'Recreate' }, false],
  ])('a Deployment with the strategy %j may surge: %s', (of, may) => {
    expect(surges(workload('shop:1', of === undefined ? {} : { strategy: of }))).toBe(may);
  });
});
