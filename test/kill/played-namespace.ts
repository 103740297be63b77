import { setTimeout as delay } from 'node:timers/promises';
import { createApiClient, type ApiClient } from '../../activities/kubernetes/api-client.ts';
import { openConnection } from '../../activities/kubernetes/api-connection.ts';
import { openAccess } from '../../activities/kubernetes/cluster-access.ts';
import { numberAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { installRoutes, playGateway } from '../integration/kubernetes/played-gateway.ts';
import type { Stack } from './release-lane.ts';

const collection = '/apis/gateway.networking.k8s.io/v1';

/** Speaks as the tests' own reader, so that nothing it writes is counted as a step. */
const testersApi = async ({ kubeconfigPath: file, context }: Stack): Promise<ApiClient> => {
  const connection = openConnection(await openAccess({ environment: 'kill', file, context }));
  return createApiClient({
    ...connection,
    send: async (wire) =>
      connection.send({ ...wire, headers: { ...wire.headers, 'user-agent': 'holdfast-checker' } }),
  });
};

/** Teaches the cluster of a stack without a gateway what a route is. */
export const teachRoutes = async (stack: Stack): Promise<void> => {
  await installRoutes(await testersApi(stack));
};

/** A route to the sample service, and a gateway that takes it until it is stopped. */
export const openPlayedRoute = async (
  stack: Stack,
  namespace: string,
): Promise<{ stop: () => Promise<void> }> => {
  const api = await testersApi(stack);
  const gateway = await playGateway(api, namespace);
  await api.call({
    method: 'POST',
    path: `${collection}/namespaces/${namespace}/httproutes`,
    body: {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'shop' },
      spec: {
        parentRefs: [{ name: 'web' }],
        rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }],
      },
    },
  });
  return gateway;
};

const collectionOf = (namespace: string, { apiVersion, kind }: KubernetesObject): string => {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${group}/namespaces/${namespace}/${kind.toLowerCase()}s`;
};

/** What a user has who never heard of us: objects made by another tool, and pods that are ready. */
export const createAndAwait = async (
  stack: Stack,
  { namespace, objects }: { namespace: string; objects: readonly KubernetesObject[] },
): Promise<void> => {
  const api = await testersApi(stack);
  for (const body of objects) {
    await api.call({ method: 'POST', path: collectionOf(namespace, body), body });
  }
  const deployments = objects.filter(({ kind }) => kind === 'Deployment');
  for (const wanted of deployments) {
    const path = `${collectionOf(namespace, wanted)}/${wanted.metadata.name}`;
    const replicas = numberAt(wanted, 'spec', 'replicas');
    for (;;) {
      const seen = await api.call({ method: 'GET', path });
      if (numberAt(seen, 'status', 'readyReplicas') === replicas) break;
      await delay(50);
    }
  }
};

/** Room for so many pods in the namespace and no more. */
export const limitPods = async (
  stack: Stack,
  { namespace, mostPods }: { namespace: string; mostPods: number },
): Promise<void> => {
  const api = await testersApi(stack);
  await api.call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/resourcequotas`,
    body: { metadata: { name: 'room' }, spec: { hard: { pods: String(mostPods) } } },
  });
};
