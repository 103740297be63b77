import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { recordAt } from '../../../domain/delivery/canonical-json.ts';
import { withHashedConfig } from '../../../domain/delivery/config-hash-names.ts';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { decodeManifestSet, manifestSetOf } from '../../../domain/delivery/manifest-set.ts';
import { problemsOf } from '../../../domain/delivery/manifest-validation.ts';
import { referencesIn } from '../../../domain/delivery/pod-template.ts';
import { withoutRemovedFields } from '../../../domain/delivery/removed-fields.ts';
import { startingReplicas } from '../../../domain/delivery/replica-ownership.ts';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

const config = (kind: string, name: string, data: Record<string, string>): KubernetesObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  data,
});

const workload = (podSpec: object): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop' },
  spec: { template: { spec: podSpec } },
});

const podSpec = {
  imagePullSecrets: [{ name: 'pull' }],
  initContainers: [{ name: 'init', envFrom: [{ secretRef: { name: 'from-init' } }] }],
  containers: [
    {
      name: 'app',
      envFrom: [{ configMapRef: { name: 'from-all' } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'one-key', key: 'a' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'one-secret', key: 'b' } } },
        { name: 'C', value: 'plain' },
      ],
    },
  ],
  volumes: [
    { name: 'v1', configMap: { name: 'mounted' } },
    { name: 'v2', secret: { secretName: 'mounted-secret' } },
    {
      name: 'v3',
      projected: {
        sources: [{ configMap: { name: 'projected' } }, { secret: { name: 'projected-secret' } }],
      },
    },
    { name: 'v4', emptyDir: {} },
  ],
};

const allReferences = [
  'Secret/from-init',
  'ConfigMap/from-all',
  'ConfigMap/one-key',
  'Secret/one-secret',
  'ConfigMap/mounted',
  'Secret/mounted-secret',
  'ConfigMap/projected',
  'Secret/projected-secret',
  'Secret/pull',
];

describe('names by content', () => {
  test('every place in a pod template that names config is found', () => {
    expect(referencesIn(podSpec)).toEqual(allReferences);
  });

  test('all references follow the new names, and nothing else changes', () => {
    const objects = allReferences.map((reference) => {
      const [kind = '', name = ''] = reference.split('/');
      return config(kind, name, { key: name });
    });
    const { objects: hashed } = withHashedConfig([...objects, workload(podSpec)], hex);
    const names = hashed.slice(0, -1).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(names.every((name) => /-[0-9a-f]{10}$/.test(name))).toBe(true);
    const template = recordAt(hashed.at(-1), 'spec', 'template', 'spec');
    expect(referencesIn(template)).toEqual(names);
    expect(hashed.slice(0, -1).every((object) => object['immutable'] === true)).toBe(true);
  });

  test('config that no pod reads keeps its name and stays mutable', () => {
    const other = config('ConfigMap', 'for-someone-else', { a: '1' });
    const { objects, renamed } = withHashedConfig([other, workload(podSpec)], hex);
    expect(objects[0]).toEqual(other);
    expect(renamed).toEqual([]);
  });

  test('the name depends on the content and on nothing else', () => {
    const nameOf = (data: Record<string, string>, labels: Record<string, string> = {}): string => {
      const object = config('ConfigMap', 'mounted', data);
      object.metadata.labels = labels;
      return withHashedConfig([object, workload(podSpec)], hex).objects[0]?.metadata.name ?? '';
    };
    expect(nameOf({ a: '1', b: '2' })).toBe(nameOf({ b: '2', a: '1' }, { team: 'blue' }));
    expect(nameOf({ a: '1' })).not.toBe(nameOf({ a: '2' }));
  });
});

describe('a manifest set', () => {
  const probe = { httpGet: { path: '/', port: 80 } };
  const onDelete = { type: 'OnDelete' };
  const ready = workload({ containers: [{ name: 'app', readinessProbe: probe }] });

  const codesOf = (documents: unknown[]): string[] =>
    problemsOf(manifestSetOf(documents), 'staging').map(({ code, object, field }) =>
      `${code} ${object} ${field}`.trim(),
    );

  test('lists are opened', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [ready, config('Secret', 's', {})] };
    expect(manifestSetOf([list]).objects.map(({ kind }) => kind)).toEqual(['Deployment', 'Secret']);
  });

  test('is read from its text, and other text is refused', () => {
    expect(decodeManifestSet(JSON.stringify({ objects: [ready] })).objects).toEqual([ready]);
    expect(() => decodeManifestSet('[]')).toThrow('not a manifest set');
  });

  test.each([
    ['nothing at all', [], ['MANIFEST_INVALID manifests']],
    [
      'no kind',
      [{ apiVersion: 'v1', metadata: { name: 'a' } }],
      ['MANIFEST_INVALID document 1 /kind'],
    ],
    [
      'no name',
      [{ apiVersion: 'v1', kind: 'Secret', metadata: {} }],
      ['MANIFEST_INVALID document 1 /metadata/name'],
    ],
    [
      'a kind that cannot be undone',
      [{ ...ready, apiVersion: 'batch/v1', kind: 'Job' }],
      ['MANIFEST_KIND_UNSUPPORTED Job/shop /kind'],
    ],
    [
      'every kind that runs pods from a template',
      ['Deployment', 'StatefulSet', 'DaemonSet'].map((kind) => ({ ...ready, kind })),
      [],
    ],
    [
      'a DaemonSet whose pods nobody replaces',
      [
        {
          ...ready,
          kind: 'DaemonSet',
          spec: { ...recordAt(ready, 'spec'), updateStrategy: onDelete },
        },
      ],
      ['MANIFEST_INVALID DaemonSet/shop /spec/updateStrategy/type'],
    ],
    [
      'a StatefulSet without a readiness probe',
      [{ ...workload({ containers: [{ name: 'app' }] }), kind: 'StatefulSet' }],
      ['READINESS_UNPROVABLE StatefulSet/shop /spec/template/spec/containers'],
    ],
    [
      'an old API version',
      [{ ...ready, apiVersion: 'apps/v1beta1' }],
      ['MANIFEST_KIND_UNSUPPORTED Deployment/shop /apiVersion'],
    ],
    ['the same object twice', [ready, ready], ['MANIFEST_INVALID Deployment/shop']],
    [
      'another namespace',
      [{ ...ready, metadata: { name: 'shop', namespace: 'prod' } }],
      ['MANIFEST_INVALID Deployment/shop /metadata/namespace'],
    ],
    ['its own namespace', [{ ...ready, metadata: { name: 'shop', namespace: 'staging' } }], []],
    [
      'no readiness probe',
      [workload({ containers: [{ name: 'app' }] })],
      ['READINESS_UNPROVABLE Deployment/shop /spec/template/spec/containers'],
    ],
    [
      'one container of two without a probe',
      [workload({ containers: [{ name: 'app', readinessProbe: probe }, { name: 'side' }] })],
      ['READINESS_UNPROVABLE Deployment/shop /spec/template/spec/containers'],
    ],
    [
      'an init container without a probe',
      [
        workload({
          initContainers: [{ name: 'init' }],
          containers: [{ name: 'app', readinessProbe: probe }],
        }),
      ],
      [],
    ],
    [
      'minReadySeconds instead',
      [
        {
          ...workload({ containers: [{ name: 'app' }] }),
          spec: { minReadySeconds: 5, template: {} },
        },
      ],
      [],
    ],
    [
      'a Deployment that starts paused',
      [{ ...ready, spec: { ...recordAt(ready, 'spec'), paused: true } }],
      ['MANIFEST_INVALID Deployment/shop /spec/paused'],
    ],
  ])('with %s is judged', (_, documents, problems) => {
    expect(codesOf(documents)).toEqual(problems);
  });
});

describe('fields that the manifests no longer have', () => {
  const object = (spec: object): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec,
  });

  test.each([
    ['a member', { a: 1, b: 2 }, { a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, c: 3 }],
    ['a member that someone else has too', { a: 1 }, {}, { b: 2 }, { b: 2 }],
    [
      'an element by its name',
      { env: [{ name: 'A' }, { name: 'B' }] },
      { env: [{ name: 'B' }] },
      { env: [{ name: 'A' }, { name: 'B' }, { name: 'X' }] },
      { env: [{ name: 'B' }, { name: 'X' }] },
    ],
    [
      'a port by its number',
      { ports: [{ containerPort: 80 }] },
      { ports: [{ containerPort: 81 }] },
      {
        ports: [
          { containerPort: 80, protocol: 'TCP' },
          { containerPort: 81, protocol: 'TCP' },
        ],
      },
      { ports: [{ containerPort: 81, protocol: 'TCP' }] },
    ],
    [
      'a field inside an element',
      { containers: [{ name: 'app', command: ['x'] }] },
      { containers: [{ name: 'app' }] },
      { containers: [{ name: 'app', command: ['x'], image: 'i' }] },
      { containers: [{ name: 'app', image: 'i' }] },
    ],
    ['the number of replicas stays', { replicas: 3 }, {}, { replicas: 5 }, { replicas: 5 }],
  ])('%s', (...row) => {
    const [, previous, next, target, expected] = row;
    const sides = { previous: object(previous), next: object(next) };
    expect(withoutRemovedFields(object(target), sides)['spec']).toEqual(expected);
  });
});

describe('replicas of a new workload', () => {
  const autoscaler = (spec: object): KubernetesObject => ({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop' },
    spec,
  });
  const sized = (replicas?: number): KubernetesObject => ({
    ...workload({}),
    spec: replicas === undefined ? {} : { replicas },
  });

  test.each([
    ['as written', sized(3), undefined, 3],
    ['one where nothing is written', sized(), undefined, 1],
    [
      'at least what the autoscaler wants',
      sized(1),
      autoscaler({ minReplicas: 2, maxReplicas: 5 }),
      2,
    ],
    [
      'at most what the autoscaler allows',
      sized(9),
      autoscaler({ minReplicas: 2, maxReplicas: 5 }),
      5,
    ],
  ])('are %s', (...row) => {
    const [, object, owner, replicas] = row;
    expect(startingReplicas(object, owner)).toBe(replicas);
  });
});
