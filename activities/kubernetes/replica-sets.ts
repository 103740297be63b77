import { isRecord, listAt, recordAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import type { Cluster } from './environments.ts';
import { collections, listObjects } from './object-access.ts';

const revisionName = 'deployment.kubernetes.io/revision';

export const isOwnedBy = (object: KubernetesObject, uid: string | undefined): boolean =>
  listAt(object.metadata, 'ownerReferences').some(
    (reference) => isRecord(reference) && reference['uid'] === uid,
  );

const revisionOf = (object: KubernetesObject): string | undefined =>
  object.metadata.annotations?.[revisionName];

/** Selector of a Deployment as the API takes it in a query; only plain labels narrow the list. */
export const labelSelectorOf = (workload: KubernetesObject): string =>
  Object.entries(recordAt(workload, 'spec', 'selector', 'matchLabels'))
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(',');

/** The ReplicaSets of a Deployment, whichever revision they belong to. */
export const replicaSetsOf = async (
  cluster: Cluster,
  deployment: KubernetesObject,
): Promise<KubernetesObject[]> => {
  const labelSelector = labelSelectorOf(deployment);
  const { items } = await listObjects(cluster, collections.replicaSets, { labelSelector });
  return items.filter((set) => isOwnedBy(set, deployment.metadata.uid));
};

/** The one that the Deployment's current revision names; undefined until the controller has made it. */
export const activeReplicaSet = (
  deployment: KubernetesObject,
  sets: readonly KubernetesObject[],
): KubernetesObject | undefined => {
  const revision = revisionOf(deployment);
  return revision === undefined ? undefined : sets.find((set) => revisionOf(set) === revision);
};
