import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createApiClient, type ApiClient } from '../../../activities/kubernetes/api-client.ts';
import { openConnection } from '../../../activities/kubernetes/api-connection.ts';
import { openAccess } from '../../../activities/kubernetes/cluster-access.ts';
import {
  createChecks,
  createEnvironments,
  createReleases,
  createRoutes,
  createWorkloads,
  type Environments,
} from '../../../activities/kubernetes/index.ts';
import { isNotFound, isPreconditionFailure } from '../../../activities/kubernetes/api-error.ts';
import { collectionPath, objectPath } from '../../../activities/kubernetes/object-access.ts';
import { createFilesystemBlobStore } from '../../../activities/store/index.ts';
import type { BlobStore } from '../../../activities/store/port.ts';
import type { KubernetesObject, ObjectRef } from '../../../domain/delivery/kubernetes-object.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import type { ReleaseSite } from '../../conformance/release-driver.ts';
import { playGateway } from './played-gateway.ts';

/** One namespace of the sandbox, the adapter that works in it, and a foreign hand. */
export interface RealSite extends ReleaseSite {
  namespace: string;
  environments: Environments;
  blobs: BlobStore;
  api: ApiClient;
  close(): Promise<void>;
}

export const sandboxApi = async ({ kubernetes }: Sandbox): Promise<ApiClient> => {
  const { kubeconfigPath: file, context } = kubernetes;
  return createApiClient(
    openConnection(await openAccess({ environment: 'sandbox', file, context })),
  );
};

const get = async (
  api: ApiClient,
  namespace: string,
  ref: ObjectRef,
): Promise<KubernetesObject | undefined> => {
  try {
    const found = await api.call({ method: 'GET', path: objectPath(namespace, ref) });
    return found as KubernetesObject;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** As a person with kubectl would: read, change, write back; again where a controller was faster. */
const edit = async (
  site: { api: ApiClient; namespace: string },
  ref: ObjectRef,
  change: (object: KubernetesObject) => KubernetesObject | undefined,
): Promise<void> => {
  const { api, namespace } = site;
  for (;;) {
    const live = await get(api, namespace, ref);
    const edited = live === undefined ? undefined : change(live);
    const path = objectPath(namespace, ref);
    if (edited === undefined) {
      await api.call({ method: 'DELETE', path });
      return;
    }
    const operations = [{ op: 'replace', path: '', value: edited }];
    try {
      const contentType = 'application/json-patch+json';
      await api.call({ method: 'PATCH', path, body: operations, contentType });
      return;
    } catch (error) {
      if (!isPreconditionFailure(error)) throw error;
    }
  }
};

/** Opens a fresh namespace. */
export const openRealSite = async (sandbox: Sandbox): Promise<RealSite> => {
  const api = await sandboxApi(sandbox);
  const namespace = `site-${randomBytes(4).toString('hex')}`;
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await api.call({ method: 'POST', path: '/api/v1/namespaces', body });
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-site-'));
  const blobs = createFilesystemBlobStore({ directory });
  const { kubeconfigPath: kubeconfig, context } = sandbox.kubernetes;
  const environments = createEnvironments({
    file: { environments: { staging: { kubeconfig, context, namespace, traffic: 'none' } } },
    directory,
  });
  const deps = { environments, blobs };
  let gateway: Awaited<ReturnType<typeof playGateway>> | undefined;
  const setGateway: ReleaseSite['setGateway'] = async (reporting) => {
    await gateway?.stop();
    gateway = reporting === false ? undefined : await playGateway(api, namespace, reporting);
  };
  return {
    releases: createReleases(deps),
    workloads: createWorkloads(deps),
    routes: createRoutes(deps),
    checks: createChecks(deps),
    environment: 'staging',
    namespace,
    environments,
    blobs,
    api,
    store: async (objects) => blobs.put(new TextEncoder().encode(JSON.stringify({ objects }))),
    get: async (ref) => get(api, namespace, ref),
    edit: async (ref, change) => edit({ api, namespace }, ref, change),
    add: async (object) => {
      await api.call({ method: 'POST', path: collectionPath(namespace, object), body: object });
    },
    setGateway,
    close: async () => {
      await setGateway(false);
      await api.call({ method: 'DELETE', path: `/api/v1/namespaces/${namespace}` });
      await rm(directory, { recursive: true, force: true });
    },
  };
};
