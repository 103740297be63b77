import { recordAt } from '../../domain/delivery/canonical-json.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../domain/delivery/manifest-set.ts';
import { annotationOf, fenceOf } from '../../domain/delivery/object-fence.ts';
import { referencesIn } from '../../domain/delivery/pod-template.ts';
import { isSpent } from '../../domain/delivery/spent-objects.ts';
import { currentAttempt } from './activity-attempt.ts';
import { ApiError, isHidden, isPreconditionFailure } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { collections, listObjects } from './object-access.ts';
import type { Releases, ServiceTarget } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { isOfService, listCheckJobs, listManaged } from './release-proofs.ts';
import { deleteAndAwait } from './release-reverts.ts';

/** Everything that can hold a pod spec; a ReplicaSet of an old revision may be wanted back. */
const podSpecHolders = [
  { ...collections.pods, at: ['spec'] },
  { ...collections.replicaSets, at: ['spec', 'template', 'spec'] },
  { apiVersion: 'apps/v1', kind: 'Deployment', at: ['spec', 'template', 'spec'] },
  { ...collections.statefulSets, at: ['spec', 'template', 'spec'] },
  { ...collections.daemonSets, at: ['spec', 'template', 'spec'] },
  { ...collections.jobs, at: ['spec', 'template', 'spec'] },
  { ...collections.cronJobs, at: ['spec', 'jobTemplate', 'spec', 'template', 'spec'] },
] as const;

/** ConfigMaps and Secrets that something refers to; undefined where one kind may not be read. */
const referencedConfig = async (cluster: Cluster): Promise<Set<string> | undefined> => {
  try {
    const lists = await Promise.all(
      podSpecHolders.map(async ({ at, ...collection }) => {
        const { items } = await listObjects(cluster, collection);
        return items.flatMap((object) => referencesIn(recordAt(object, ...at)));
      }),
    );
    return new Set(lists.flat());
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
};

const deleteSpent = async (
  cluster: Cluster,
  object: KubernetesObject,
): Promise<ObjectRef | undefined> => {
  try {
    await deleteAndAwait(cluster, object);
    return refOf(object);
  } catch (error) {
    // Someone made another object of this name since we listed: it is not ours.
    if (isPreconditionFailure(error)) return undefined;
    throw error;
  }
};

const isConfig = ({ kind }: KubernetesObject): boolean => kind === 'ConfigMap' || kind === 'Secret';

const deleteAll = async (
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<ObjectRef[]> => {
  const deleted: ObjectRef[] = [];
  for (const object of objects) {
    currentAttempt().heartbeat({ pruning: describeRef(refOf(object)) });
    const ref = await deleteSpent(cluster, object);
    if (ref !== undefined) deleted.push(ref);
  }
  return deleted;
};

/** Where not everything may be read, everything counts as needed. */
const isReferencedIn =
  (referenced: ReadonlySet<string> | undefined) =>
  (object: KubernetesObject): boolean =>
    referenced === undefined || referenced.has(describeRef(refOf(object)));

/** Deletes by uid what releases of the service created and nothing needs any more. */
export const pruneService = async (
  deps: ReleaseDeps,
  request: Parameters<Releases['prune']>[0],
): Promise<{ deleted: ObjectRef[] }> => {
  const cluster = await deps.environments.locate(request.environment);
  return translated({ subject: request.service }, async () => {
    const lists = [listManaged(cluster), listRoutes(cluster), listCheckJobs(cluster)];
    const created = (await Promise.all(lists))
      .flat()
      .filter(
        (object) => isOfService(object, request) && annotationOf(object, 'createdBy') !== undefined,
      );
    const others = created.filter((object) => !isConfig(object));
    const config = created.filter(isConfig);
    const spentOthers = others.filter((object) =>
      isSpent(object, { ...request, isReferenced: () => false }),
    );
    const deleted = await deleteAll(cluster, spentOthers);
    if (config.length === 0) return { deleted };
    // Read after the workloads are gone: what only they referred to is free now.
    const isReferenced = isReferencedIn(await referencedConfig(cluster));
    const spentConfig = config.filter((object) => isSpent(object, { ...request, isReferenced }));
    return { deleted: [...deleted, ...(await deleteAll(cluster, spentConfig))] };
  });
};

/** Routes of the Gateway API, where the cluster has them and lets us see them. */
const listRoutes = async (cluster: Cluster): Promise<KubernetesObject[]> => {
  const lists = await Promise.all(
    [collections.httpRoutes, collections.grpcRoutes].map(async (collection) => {
      try {
        return (await listObjects(cluster, collection, { metadataOnly: true })).items;
      } catch (error) {
        if (isHidden(error)) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
};

/**
 * The highest fence of the service. Objects without a service count too: an adoption that was
 * taken back, and a route that was given back, keep their fence, and the next one must be above it.
 */
export const highestFenceOf = async (
  deps: ReleaseDeps,
  request: ServiceTarget,
): Promise<{ fence: number }> => {
  const cluster = await deps.environments.locate(request.environment);
  return translated({ subject: request.service }, async () => {
    const [managed, routes] = await Promise.all([listManaged(cluster), listRoutes(cluster)]);
    const fences = [...managed, ...routes]
      .filter(
        (object) => isOfService(object, request) || annotationOf(object, 'service') === undefined,
      )
      .map(fenceOf);
    return { fence: Math.max(0, ...fences) };
  });
};
