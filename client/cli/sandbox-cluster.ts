import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  V1Namespace,
  V1ObjectMeta,
} from '@kubernetes/client-node';
import { stringify } from 'yaml';
import type { Sandbox } from '../../sandbox/index.ts';

/** A cluster and how to get at it. */
export interface ClusterAccess {
  /** The usual kubeconfig lookup if absent. */
  kubeconfigPath?: string | undefined;
  context: string;
}

/** An environment of the sandbox as `environments.yaml` describes it. */
export interface SandboxEnvironment extends ClusterAccess {
  name: string;
  namespace: string;
  clusterUid?: string | undefined;
  /** How the prober reaches services, see `EnvironmentsFile`. */
  traffic: 'none' | 'cluster-ip' | { url: string; host: string };
}

/** Where the gateway sends requests with a host name. */
export interface GatewayRoute {
  namespace: string;
  service: string;
  servicePort: number;
  host: string;
}

export const sandboxAccess = ({ kubernetes }: Sandbox): ClusterAccess => ({
  kubeconfigPath: kubernetes.kubeconfigPath,
  context: kubernetes.context,
});

/** Writes an `environments.yaml`; what was in the file is replaced. */
export const writeEnvironments = async (
  file: string,
  environments: readonly SandboxEnvironment[],
): Promise<void> => {
  const entries = environments.map(({ name, kubeconfigPath, context, ...rest }) => [
    name,
    {
      ...(kubeconfigPath === undefined ? {} : { kubeconfig: kubeconfigPath }),
      context,
      ...(rest.clusterUid === undefined ? {} : { cluster: rest.clusterUid }),
      namespace: rest.namespace,
      traffic: rest.traffic,
    },
  ]);
  const head = '# Written by holdfast whenever it brings the sandbox up; changes are lost then.\n';
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(
    file,
    `${head}${stringify({ environments: Object.fromEntries(entries) as object })}`,
  );
};

/** Makes the namespace unless it is there. Says whether it made it. */
export const ensureNamespace = async (access: ClusterAccess, name: string): Promise<boolean> => {
  const core = configOf(access).makeApiClient(CoreV1Api);
  return unlessThere(async () => core.createNamespace({ body: namespaceNamed(name) }));
};

const namespaceNamed = (name: string): V1Namespace => {
  const namespace = new V1Namespace();
  namespace.metadata = new V1ObjectMeta();
  namespace.metadata.name = name;
  return namespace;
};

/** Asks for the namespace to be deleted with everything in it. */
export const removeNamespace = async (access: ClusterAccess, name: string): Promise<void> => {
  await configOf(access).makeApiClient(CoreV1Api).deleteNamespace({ name });
};

const gatewayName = 'holdfast';
const gatewayNamespace = 'holdfast-gateway';

/** Lets the sandbox's gateway send requests with this host to the Service, unless it does so already. */
export const ensureRoute = async (access: ClusterAccess, route: GatewayRoute): Promise<void> => {
  const custom = configOf(access).makeApiClient(CustomObjectsApi);
  const { namespace, service, servicePort, host } = route;
  await unlessThere(async () =>
    custom.createNamespacedCustomObject({
      group: 'gateway.networking.k8s.io',
      version: 'v1',
      plural: 'httproutes',
      namespace,
      body: {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'HTTPRoute',
        metadata: { name: service, namespace },
        spec: {
          parentRefs: [{ name: gatewayName, namespace: gatewayNamespace }],
          hostnames: [host],
          rules: [{ backendRefs: [{ name: service, port: servicePort }] }],
        },
      },
    }),
  );
};

const configOf = ({ kubeconfigPath, context }: ClusterAccess): KubeConfig => {
  const config = new KubeConfig();
  if (kubeconfigPath === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfigPath);
  config.setCurrentContext(context);
  return config;
};

const alreadyThere = 409;

const unlessThere = async (create: () => Promise<unknown>): Promise<boolean> => {
  try {
    await create();
    return true;
  } catch (error) {
    if (!(error instanceof ApiException) || error.code !== alreadyThere) throw error;
    return false;
  }
};
