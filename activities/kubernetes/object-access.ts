import { isRecord, listAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import type { PatchOperation } from '../../domain/delivery/json-patch.ts';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { isManagedKind, managedKinds } from '../../domain/delivery/manifest-set.ts';
import { isNotFound } from './api-error.ts';
import type { Cluster } from './environments.ts';

/** Who writes, as `managedFields` shows it. */
const fieldManager = 'holdfast';

/** Collections that are read beside the managed kinds. */
export const collections = {
  pods: { apiVersion: 'v1', kind: 'Pod' },
  replicaSets: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  endpointSlices: { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
  jobs: { apiVersion: 'batch/v1', kind: 'Job' },
  cronJobs: { apiVersion: 'batch/v1', kind: 'CronJob' },
  statefulSets: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  controllerRevisions: { apiVersion: 'apps/v1', kind: 'ControllerRevision' },
  daemonSets: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  networkPolicies: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  httpRoutes: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' },
  grpcRoutes: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute' },
} as const;

export interface Collection {
  apiVersion: string;
  kind: string;
}

export const pluralOf = (kind: string): string =>
  isManagedKind(kind) ? managedKinds[kind].plural : `${kind.toLowerCase()}s`.replace(/ys$/, 'ies');

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

export const collectionPath = (namespace: string, { apiVersion, kind }: Collection): string => {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${pluralOf(kind)}`;
};

export const objectPath = (namespace: string, ref: ObjectRef): string =>
  `${collectionPath(namespace, ref)}/${encodeURIComponent(ref.name)}`;

const asObject = (value: unknown, ref: Collection): KubernetesObject => {
  if (!isRecord(value) || !isRecord(value['metadata'])) {
    throw new Error(`the API server answered with something that is no ${ref.kind}`);
  }
  // Elements of a list carry neither apiVersion nor kind.
  return { apiVersion: ref.apiVersion, kind: ref.kind, ...value } as KubernetesObject;
};

export const readObject = async (
  cluster: Cluster,
  ref: ObjectRef,
): Promise<KubernetesObject | undefined> => {
  try {
    const path = objectPath(cluster.namespace, ref);
    return asObject(await cluster.api.call({ method: 'GET', path }), ref);
  } catch (error) {
    // A missing namespace must not look like a missing object; the server tells them apart.
    if (isNotFound(error) && !String(error).includes('namespaces "')) return undefined;
    throw error;
  }
};

export interface ListOptions {
  labelSelector?: string;
  /** Reads names, labels and annotations only, so that Secret data stays where it is. */
  metadataOnly?: boolean;
}

const pageSize = '500';

const metadataAccept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** The whole collection, page by page, with the version from which a watch can go on. */
export const listObjects = async (
  cluster: Cluster,
  collection: Collection,
  options: ListOptions = {},
): Promise<{ items: KubernetesObject[]; resourceVersion: string }> => {
  const items: KubernetesObject[] = [];
  let resumeAt: string | undefined;
  for (;;) {
    const page = await cluster.api.call({
      method: 'GET',
      path: collectionPath(cluster.namespace, collection),
      query: {
        limit: pageSize,
        ...(resumeAt === undefined ? {} : { continue: resumeAt }),
        ...(options.labelSelector === undefined ? {} : { labelSelector: options.labelSelector }),
      },
      ...(options.metadataOnly === true ? { accept: metadataAccept } : {}),
    });
    items.push(
      ...listAt(page, 'items').map((item) => asObject(withKind(item, collection), collection)),
    );
    resumeAt = stringAt(page, 'metadata', 'continue');
    if (resumeAt === undefined || resumeAt === '') {
      return { items, resourceVersion: stringAt(page, 'metadata', 'resourceVersion') ?? '' };
    }
  }
};

/** A list of metadata names its elements PartialObjectMetadata; we want to know what they are. */
const withKind = (item: unknown, { apiVersion, kind }: Collection): unknown =>
  isRecord(item) ? { ...item, apiVersion, kind } : item;

export interface WriteOptions {
  /** Asks what would happen; stores nothing. */
  dryRun?: boolean;
}

const writeQuery = ({ dryRun = false }: WriteOptions): Record<string, string> => ({
  fieldManager,
  fieldValidation: 'Strict',
  ...(dryRun ? { dryRun: 'All' } : {}),
});

export const createObject = async (
  cluster: Cluster,
  object: KubernetesObject,
  options: WriteOptions = {},
): Promise<KubernetesObject> => {
  const path = collectionPath(cluster.namespace, object);
  const query = writeQuery(options);
  return asObject(await cluster.api.call({ method: 'POST', path, query, body: object }), object);
};

export const patchObject = async (
  cluster: Cluster,
  change: { ref: ObjectRef; operations: readonly PatchOperation[] },
  options: WriteOptions = {},
): Promise<KubernetesObject> => {
  const { ref, operations } = change;
  const answer = await cluster.api.call({
    method: 'PATCH',
    path: objectPath(cluster.namespace, ref),
    query: writeQuery(options),
    contentType: 'application/json-patch+json',
    body: operations,
  });
  return asObject(answer, ref);
};

/**
 * What the object would be if the manifest were applied over everything that others own.
 * Only ever asked, never done: the answer is the target that guarded patches work towards.
 */
export const previewApply = async (
  cluster: Cluster,
  manifest: KubernetesObject,
): Promise<KubernetesObject> => {
  const ref = { ...manifest, name: manifest.metadata.name };
  const answer = await cluster.api.call({
    method: 'PATCH',
    path: objectPath(cluster.namespace, ref),
    query: { ...writeQuery({ dryRun: true }), force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: { ...manifest, metadata: { ...manifest.metadata, namespace: cluster.namespace } },
  });
  return asObject(answer, manifest);
};

/**
 * Deletes exactly the object with this uid; one of the same name made since is left alone. With a
 * resourceVersion one that changed since is left alone too.
 */
export const deleteObject = async (
  cluster: Cluster,
  target: { ref: ObjectRef; uid: string; resourceVersion?: string; foreground?: boolean },
): Promise<void> => {
  const { ref, uid, resourceVersion, foreground = false } = target;
  try {
    await cluster.api.call({
      method: 'DELETE',
      path: objectPath(cluster.namespace, ref),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        propagationPolicy: foreground ? 'Foreground' : 'Background',
      },
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
