import type { KubernetesObject } from './kubernetes-object.ts';
import { describeObject } from './manifest-set.ts';
import { annotationOf, fenceOf } from './object-fence.ts';

export interface PruningScope {
  epoch: number;
  keepReleases: readonly string[];
  unwoundReleases: readonly string[];
  isReferenced: (object: KubernetesObject) => boolean;
}

const isConfig = ({ kind }: KubernetesObject): boolean => kind === 'ConfigMap' || kind === 'Secret';

/** Names by content are made for one content and are not patched; other objects live on. */
const hasContentName = ({ metadata }: KubernetesObject): boolean =>
  /-[0-9a-f]{10}$/.test(metadata.name);

/**
 * May an object that a release of this service created be deleted? What an unwound release left
 * behind may, unless a later release has written it since; so may what existed for the time of an
 * earlier rollout only; config by content may, when neither a pod template nor a kept release
 * needs it.
 */
export const isSpent = (object: KubernetesObject, scope: PruningScope): boolean => {
  const createdBy = annotationOf(object, 'createdBy');
  if (createdBy === undefined || fenceOf(object) > scope.epoch) return false;
  if (isConfig(object) && scope.isReferenced(object)) return false;
  const untouchedSince = annotationOf(object, 'release') === createdBy;
  if (scope.unwoundReleases.includes(createdBy) && untouchedSince) return true;
  if (annotationOf(object, 'temporary') !== undefined) return fenceOf(object) < scope.epoch;
  return isConfig(object) && hasContentName(object) && !scope.keepReleases.includes(createdBy);
};

/**
 * An object of ours that the last good release did not have was left behind by one that failed.
 * A plan claims it by writing it, so that sweeping up after the failed one leaves it alone.
 */
export const isLeftBehind = (
  live: KubernetesObject,
  request: { release: string },
  previous: readonly KubernetesObject[],
): boolean => {
  const createdBy = annotationOf(live, 'createdBy');
  const name = describeObject(live);
  return (
    createdBy !== undefined &&
    createdBy !== request.release &&
    annotationOf(live, 'release') === createdBy &&
    !previous.some((object) => describeObject(object) === name)
  );
};
