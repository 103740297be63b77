import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { decideScale } from '../../../domain/delivery/workload-scale.ts';

describe('scaling', () => {
  const authority = { environment: 'staging', service: 'shop', release: '2', epoch: 4 };
  const own = (replicas: number): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'shop-3f9a1c',
      annotations: {
        'holdfast.dev/fence': '4',
        'holdfast.dev/created-by': '2',
        'holdfast.dev/service': 'staging/shop',
      },
    },
    spec: { replicas },
  });

  test.each([
    { title: 'raises', now: 1, autoscaled: false, act: 'patch' },
    { title: 'lowers', now: 4, autoscaled: false, act: 'patch' },
    { title: 'finds it done', now: 3, autoscaled: false, act: 'nothing' },
    { title: 'raises under an autoscaler', now: 1, autoscaled: true, act: 'patch' },
    { title: 'never lowers under an autoscaler', now: 4, autoscaled: true, act: 'nothing' },
  ])('$title', ({ now, autoscaled, act }) => {
    expect(decideScale(own(now), { replicas: 3, autoscaled }, authority)).toMatchObject({ act });
  });

  test('is refused for what the release did not create, and under an old epoch', () => {
    const wanted = { replicas: 3, autoscaled: false };
    const other = { ...authority, release: '3' };
    expect(decideScale(own(1), wanted, other)).toMatchObject({ code: 'FOREIGN_CHANGE' });
    expect(decideScale(own(1), wanted, { ...authority, epoch: 3 })).toMatchObject({
      code: 'FENCED',
    });
  });
});
