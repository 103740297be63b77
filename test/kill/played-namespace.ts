import { createApiClient, type ApiClient } from '../../activities/kubernetes/api-client.ts';
import { openConnection } from '../../activities/kubernetes/api-connection.ts';
import { openAccess } from '../../activities/kubernetes/cluster-access.ts';
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
