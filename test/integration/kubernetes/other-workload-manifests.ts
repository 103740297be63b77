import type { KubernetesObject, ObjectRef } from '../../../domain/delivery/kubernetes-object.ts';

/** Kinds that own their pods themselves. */
export type Kind = 'StatefulSet' | 'DaemonSet';

const labels = { app: 'shop' };

/** A Service and a workload of the kind; the tag of the image says how its pods behave. */
export const manifests = (kind: Kind, tag: string, spec: object = {}): KubernetesObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'shop' },
    spec: { selector: labels, ports: [{ name: 'http', port: 80 }] },
  },
  {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'shop' },
    spec: {
      ...(kind === 'StatefulSet' ? { serviceName: 'shop', replicas: 3 } : {}),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            {
              name: 'shop',
              image: `registry.example/shop:${tag}`,
              readinessProbe: { httpGet: { path: '/healthz', port: 80 } },
            },
          ],
        },
      },
      ...spec,
    },
  },
];

export const refOf = (kind: Kind): ObjectRef => ({ apiVersion: 'apps/v1', kind, name: 'shop' });
