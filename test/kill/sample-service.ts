import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';

/** What differs between the versions of the sample service. */
export interface SampleVersion {
  image: string;
  greeting: string;
  password: string;
  targetPort: number;
  minAvailable: number;
  /** Short only where it decides: a slow machine must not fail a version that becomes ready. */
  readyWithinSeconds: number;
}

/**
 * A service with one object of every kind that a release manages, so that every
 * kind of write has a point in the matrix. The image tag decides what kwok plays:
 * `:bad` never becomes ready.
 */
export const versions = {
  first: {
    image: 'shop:1',
    greeting: 'hello',
    password: 'one',
    targetPort: 8080,
    minAvailable: 1,
    readyWithinSeconds: 120,
  },
  second: {
    image: 'shop:2',
    greeting: 'welcome',
    password: 'two',
    targetPort: 8081,
    minAvailable: 2,
    readyWithinSeconds: 120,
  },
  bad: {
    image: 'shop:bad',
    greeting: 'goodbye',
    password: 'three',
    targetPort: 8082,
    minAvailable: 2,
    readyWithinSeconds: 2,
  },
} as const satisfies Record<string, SampleVersion>;

const labels = { app: 'shop' };

const configuration = (version: SampleVersion): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-config' },
    data: { GREETING: version.greeting },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-notes' },
    data: { readme: `Greets with ${version.greeting}.` },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'shop-secret' },
    stringData: { PASSWORD: version.password },
  },
];

const deployment = (version: SampleVersion): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', labels },
  spec: {
    replicas: 2,
    progressDeadlineSeconds: version.readyWithinSeconds,
    selector: { matchLabels: labels },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'shop',
            image: version.image,
            ports: [{ containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
            envFrom: [
              { configMapRef: { name: 'shop-config' } },
              { secretRef: { name: 'shop-secret' } },
            ],
          },
        ],
      },
    },
  },
});

/** The manifests of one version, as a user would keep them. */
export const sampleManifests = (version: SampleVersion): KubernetesObject[] => [
  ...configuration(version),
  deployment(version),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { selector: labels, ports: [{ port: 80, targetPort: version.targetPort }] },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'shop' },
    spec: { minAvailable: version.minAvailable, selector: { matchLabels: labels } },
  },
  {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
      minReplicas: 2,
      maxReplicas: version.minAvailable + 3,
    },
  },
];
