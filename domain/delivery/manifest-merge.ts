import { copyJson, isRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { identitiesOf, identityOf } from './list-identity.ts';

const mergedLists = (live: unknown[], wanted: unknown[], field: string): unknown[] => {
  const isKeyed =
    identitiesOf(field, live) !== undefined && identitiesOf(field, wanted) !== undefined;
  if (!isKeyed) return copyJson(wanted);
  const sameIn = (list: unknown[], item: unknown): unknown =>
    list.find((other) => identityOf(field, other) === identityOf(field, item));
  const kept = live.map((item) => {
    const ours = sameIn(wanted, item);
    return ours === undefined ? copyJson(item) : merged(item, ours, field);
  });
  const added = wanted.filter((item) => sameIn(live, item) === undefined);
  return [...kept, ...copyJson(added)];
};

function merged(live: unknown, wanted: unknown, field: string): unknown {
  if (Array.isArray(live) && Array.isArray(wanted)) return mergedLists(live, wanted, field);
  if (!isRecord(live) || !isRecord(wanted)) return copyJson(wanted);
  const result = copyJson(live);
  for (const [key, value] of Object.entries(wanted)) {
    if (value !== undefined) result[key] = merged(live[key], value, key);
  }
  return result;
}

/**
 * The live object with the manifest laid over it: records are merged, lists whose elements have
 * an identity are merged element by element, everything else is replaced. What only the live
 * object has stays. The API server fills in defaults and judges the outcome.
 */
export const withManifest = (
  live: KubernetesObject,
  manifest: KubernetesObject,
): KubernetesObject => merged(live, manifest, '') as KubernetesObject;
