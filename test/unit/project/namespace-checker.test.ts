import { expect, test } from '@jest/globals';
import type { ApiReader } from '../../e2e/checker/api-reader.ts';
import { takeSnapshot } from '../../e2e/checker/namespace-snapshot.ts';

const answers: Record<string, unknown> = {
  '/apis': {
    groups: [
      { name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } },
      { name: 'metrics.k8s.io', preferredVersion: { groupVersion: 'metrics.k8s.io/v1beta1' } },
    ],
  },
  '/api/v1': { resources: [] },
  '/apis/apps/v1': {
    resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: ['list'] }],
  },
  '/apis/apps/v1/namespaces/shop/deployments': {
    items: [{ metadata: { name: 'shop', uid: 'u-1' }, spec: {} }],
  },
};

test('the checker of a namespace reads what is stored, and asks nobody for measurements', async () => {
  const get = (path: string): Promise<unknown> =>
    Object.hasOwn(answers, path)
      ? Promise.resolve(answers[path])
      : Promise.reject(new Error(`GET ${path}: 404`));
  const reader = { get } as ApiReader;
  const { uids } = await takeSnapshot(reader, 'shop');
  expect([...uids]).toEqual([['Deployment/shop', 'u-1']]);
});
