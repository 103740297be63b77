import { beforeEach, describe, expect, test } from '@jest/globals';
import { copyJson, recordAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { blueGreen, candidateOf, createCandidateDriver } from './candidate-driver.ts';
import { editSpec, refs, type DrivenRelease, type ReleaseSite } from './release-driver.ts';
import { sampleService } from './sample-service.ts';

const newer = { image: 'registry.example/shop:2' };

/** Another workload of the same service. */
const worker = (image: string): KubernetesObject => {
  const found = sampleService({ image }).find(({ kind }) => kind === 'Deployment');
  const copy = copyJson(found ?? { apiVersion: '', kind: '', metadata: { name: '' } });
  copy.metadata = { name: 'shop-worker' };
  recordAt(copy, 'spec', 'selector')['matchLabels'] = { app: 'worker' };
  recordAt(copy, 'spec', 'template', 'metadata')['labels'] = { app: 'worker' };
  return copy;
};

const routedBy = (name: string, selector: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector, ports: [{ port: 80 }] },
});

/** What is refused before anything is touched, because the two versions could not be kept apart. */
export const describeRefused = (name: string, openSite: () => Promise<ReleaseSite>): void => {
  describe(`a new version that cannot be beside the old one on ${name}`, () => {
    let site: ReleaseSite;
    let driver: ReturnType<typeof createCandidateDriver>;

    beforeEach(async () => {
      site = await openSite();
      driver = createCandidateDriver(site);
    });

    const refusal = async (
      previous: DrivenRelease,
      objects: KubernetesObject[] = sampleService(newer),
    ): Promise<{ type: string; message: string }> => {
      const before = JSON.stringify(await site.get(refs.deployment));
      const error: unknown = await driver
        .prepare('2', 2, { objects, previous, strategy: blueGreen })
        .then(() => ({ type: 'no error', message: '' }))
        .catch((thrown: unknown) => thrown);
      expect(JSON.stringify(await site.get(refs.deployment))).toBe(before);
      return error as { type: string; message: string };
    };

    test('two workloads whose pods change are named', async () => {
      const both = (image: string) => [...sampleService({ image }), worker(image)];
      const first = await driver.prepare('1', 1, { objects: both('registry.example/shop:1') });
      await driver.forward(first);
      const error = await refusal(first, both('registry.example/shop:2'));
      expect(error.type).toBe('MANIFEST_INVALID');
      expect(error.message).toContain('Deployment/shop, Deployment/shop-worker');
    });

    test('a Service that the manifests do not have is named', async () => {
      const first = await driver.deployed('1', 1);
      await site.add(routedBy('side-door', { app: 'shop' }));
      const error = await refusal(first);
      expect(error.type).toBe('MANIFEST_INVALID');
      expect(error.message).toContain('Service/side-door');
      expect(error.message).toContain('add it to them');
    });

    test('a policy that knows the pods by the label is named', async () => {
      const first = await driver.deployed('1', 1);
      await site.add({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'database' },
        spec: {
          podSelector: { matchLabels: { app: 'database' } },
          ingress: [{ from: [{ podSelector: { matchLabels: { app: 'shop' } } }] }],
        },
      });
      const error = await refusal(first);
      expect(error.type).toBe('MANIFEST_INVALID');
      expect(error.message).toContain('NetworkPolicy/database');
    });

    test('a Service that shares no label with the selector of the workload', async () => {
      const byTier = (image: string) =>
        sampleService({ image }).map((object) => {
          if (object.kind === 'Service') return routedBy('shop', { tier: 'web' });
          if (object.kind !== 'Deployment') return object;
          const labels = { app: 'shop', tier: 'web' };
          return editSpec((spec) => (recordAt(spec, 'template', 'metadata')['labels'] = labels))(
            object,
          );
        });
      const objects = byTier('registry.example/shop:1');
      const first = await driver.prepare('1', 1, { objects });
      await driver.forward(first);
      const error = await refusal(first, byTier('registry.example/shop:2'));
      expect(error.type).toBe('MANIFEST_INVALID');
      expect(error.message).toContain('could not be told apart');
    });

    test('a name that is taken', async () => {
      const first = await driver.deployed('1', 1);
      const options = { ...newer, previous: first, strategy: blueGreen };
      const driven = await driver.prepare('2', 2, options);
      const { name: taken } = candidateOf(driven).workload;
      await site.add(routedBy(taken, { app: 'other' }));
      const error = await refusal(first);
      expect(error.type).toBe('OBJECT_HELD');
      expect(error.message).toContain(`Service/${taken}`);
    });
  });
};
