import { numberAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { isWorkload } from '../../domain/delivery/manifest-set.ts';
import type { Cluster } from './environments.ts';
import { collections, listObjects } from './object-access.ts';
import { activeReplicaSet, isOwnedBy, labelSelectorOf, replicaSetsOf } from './replica-sets.ts';

/**
 * The versions that a workload had: ReplicaSets of a Deployment. A StatefulSet or DaemonSet owns
 * its pods itself, and has a ControllerRevision for each template.
 */
export const versionsOf = async (
  cluster: Cluster,
  workload: KubernetesObject,
): Promise<KubernetesObject[]> => {
  if (workload.kind === 'Deployment') return replicaSetsOf(cluster, workload);
  if (!isWorkload(workload)) return [];
  const labelSelector = labelSelectorOf(workload);
  const { items } = await listObjects(cluster, collections.controllerRevisions, { labelSelector });
  return items.filter((revision) => isOwnedBy(revision, workload.metadata.uid));
};

/**
 * The version that is rolled out now. The controller numbers the revision of the current template
 * highest, also when it is one from before.
 */
export const activeVersion = (
  workload: KubernetesObject,
  versions: readonly KubernetesObject[],
): KubernetesObject | undefined => {
  if (workload.kind === 'Deployment') return activeReplicaSet(workload, versions);
  const numberOf = (version: KubernetesObject): number => numberAt(version, 'revision') ?? 0;
  return versions.toSorted((one, other) => numberOf(other) - numberOf(one))[0];
};

const hashLabel = 'controller-revision-hash';

/** A pod of a DaemonSet names the hash of its revision, one of a StatefulSet the revision. */
const hashOf = ({ metadata }: KubernetesObject): string =>
  metadata.labels?.[hashLabel] ?? metadata.name;

/** Is it a pod of this version of the workload? */
export const isOfVersion =
  (workload: KubernetesObject, version: KubernetesObject | undefined) =>
  (pod: KubernetesObject): boolean => {
    if (version === undefined) return false;
    if (workload.kind === 'Deployment') return isOwnedBy(pod, version.metadata.uid);
    return (
      isOwnedBy(pod, workload.metadata.uid) && pod.metadata.labels?.[hashLabel] === hashOf(version)
    );
  };

/** Is it a pod of the workload, whatever its version? */
export const isOfWorkload =
  (workload: KubernetesObject, versions: readonly KubernetesObject[]) =>
  (pod: KubernetesObject): boolean =>
    [workload, ...versions].some(({ metadata }) => isOwnedBy(pod, metadata.uid));
