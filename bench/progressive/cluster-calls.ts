import https from 'node:https';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { callApi, readConnection, type ApiCall } from '../../test/e2e/checker/api-reader.ts';
import type { Stack } from '../../test/kill/release-rig.ts';

/** The API as the bench itself calls it. */
export interface ClusterCalls {
  get(path: string): Promise<unknown>;
  merge(path: string, body: unknown): Promise<void>;
  /** Server-side apply of one object; `plural` is its name in paths. */
  apply(object: KubernetesObject, place: { plural: string; namespace?: string }): Promise<void>;
  close(): void;
}

const rootOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

export const openCluster = (stack: Stack): ClusterCalls => {
  const connection = readConnection(stack.kubeconfigPath, stack.context);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
  const call = (given: ApiCall): Promise<unknown> => callApi(connection, agent, given);
  return {
    get: (path) => call({ method: 'GET', path }),
    merge: async (path, body) => {
      const contentType = 'application/merge-patch+json';
      await call({ method: 'PATCH', path, body, contentType });
    },
    apply: async (object, { plural, namespace }) => {
      const scope = namespace === undefined ? '' : `/namespaces/${namespace}`;
      const name = `${rootOf(object.apiVersion)}${scope}/${plural}/${object.metadata.name}`;
      const contentType = 'application/apply-patch+yaml';
      const path = `${name}?fieldManager=holdfast-bench&force=true`;
      await call({ method: 'PATCH', path, body: object, contentType });
    },
    close: () => {
      agent.destroy();
    },
  };
};
