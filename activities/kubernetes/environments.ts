import path from 'node:path';
import type {
  EnvironmentMapping,
  EnvironmentsFile,
} from '../../contracts/shared/environments-file.ts';
import { stringAt } from '../../domain/delivery/canonical-json.ts';
import { codedFailure } from '../coded-failure.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { openConnection } from './api-connection.ts';
import { isHidden } from './api-error.ts';
import { openAccess } from './cluster-access.ts';
import { translated } from './error-translation.ts';

/** One environment: a namespace of a cluster, and the way to it. */
export interface Cluster {
  readonly api: ApiClient;
  readonly environment: string;
  readonly namespace: string;
  /** False where the environment declares `traffic: none`: nothing runs in its pods. */
  readonly carriesTraffic: boolean;
  /** uid of the namespace kube-system; empty where it may not be read and none is expected. */
  readonly uid: string;
}

export interface Environments {
  /**
   * The cluster of an environment. `check` asks the cluster again who it is; otherwise an
   * earlier answer of this process counts.
   * @throws ENVIRONMENT_UNKNOWN, CONFIGURATION_INVALID, CLUSTER_MISMATCH, CLUSTER_UNREACHABLE
   */
  locate(environment: string, options?: { check?: boolean }): Promise<Cluster>;
}

export interface EnvironmentsOptions {
  /** The parsed `environments.yaml`. */
  file: EnvironmentsFile;
  /** Where relative kubeconfig paths start: the folder of the file. */
  directory: string;
}

const openEnvironment = async (
  environment: string,
  { kubeconfig, context }: EnvironmentMapping,
  directory: string,
): Promise<ApiClient> => {
  const file = kubeconfig === undefined ? undefined : path.resolve(directory, kubeconfig);
  return createApiClient(openConnection(await openAccess({ environment, file, context })));
};

/** Reads who the cluster is; a user of one namespace may not be allowed to. */
const readClusterUid = async (api: ApiClient): Promise<string> => {
  try {
    const system = await api.call({ method: 'GET', path: '/api/v1/namespaces/kube-system' });
    return stringAt(system, 'metadata', 'uid') ?? '';
  } catch (error) {
    if (isHidden(error)) return '';
    throw error;
  }
};

const refuseOtherCluster = (name: string, expected: string | undefined, uid: string): void => {
  if (expected === undefined || expected === uid) return;
  const answer = uid === '' ? 'does not say who it is' : `is ${uid}`;
  throw codedFailure({
    code: 'CLUSTER_MISMATCH',
    message: `Environment ${name} is mapped to the cluster ${expected}, but the one that answers ${answer}; nothing was touched.`,
    subject: `environments.${name}.cluster`,
  });
};

/** Maps environments to clusters; connections are kept for the life of the process. */
export const createEnvironments = ({ file, directory }: EnvironmentsOptions): Environments => {
  const clients = new Map<string, Promise<ApiClient>>();
  const uids = new Map<string, string>();
  return {
    async locate(environment, { check = false } = {}) {
      const mapping = file.environments[environment];
      if (mapping === undefined) {
        const known = Object.keys(file.environments).join(', ');
        throw codedFailure({
          code: 'ENVIRONMENT_UNKNOWN',
          message: `There is no environment ${environment} in environments.yaml; it has ${known === '' ? 'none' : known}.`,
          subject: environment,
        });
      }
      const opened = clients.get(environment) ?? openEnvironment(environment, mapping, directory);
      clients.set(environment, opened);
      // A kubeconfig that is repaired later is read again.
      opened.catch(() => clients.delete(environment));
      const api = await opened;
      let uid = check ? undefined : uids.get(environment);
      if (uid === undefined) {
        uid = await translated({ subject: environment }, async () => readClusterUid(api));
        uids.set(environment, uid);
      }
      refuseOtherCluster(environment, mapping.cluster, uid);
      const { namespace, traffic } = mapping;
      return { api, environment, namespace, carriesTraffic: traffic !== 'none', uid };
    },
  };
};
