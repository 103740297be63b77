import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';

export interface SampleOptions {
  image?: string;
  replicas?: number;
  /** Content of the ConfigMap that the pods read. */
  greeting?: string;
  autoscaled?: boolean;
  /** Environment variables of the container, in order. */
  env?: Record<string, string>;
}

const labels = { app: 'shop' };

const deployment = (options: SampleOptions): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', labels },
  spec: {
    replicas: options.replicas ?? 2,
    progressDeadlineSeconds: 60,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'shop',
            image: options.image ?? 'registry.example/shop:1',
            ports: [{ name: 'http', containerPort: 8080 }],
            readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
            envFrom: [{ configMapRef: { name: 'shop-settings' } }],
            env: Object.entries(options.env ?? {}).map(([name, value]) => ({ name, value })),
          },
        ],
      },
    },
  },
});

/** One object of each kind that a release manages. */
export const sampleService = (options: SampleOptions = {}): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-settings' },
    data: { greeting: options.greeting ?? 'hello' },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-banner' },
    data: { text: options.greeting ?? 'hello' },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'shop' },
    spec: { maxUnavailable: 1, selector: { matchLabels: labels } },
  },
  deployment(options),
  ...(options.autoscaled === true
    ? [
        {
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'shop' },
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
            minReplicas: 2,
            maxReplicas: 4,
            metrics: [
              {
                type: 'Resource',
                resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
              },
            ],
          },
        },
      ]
    : []),
];
