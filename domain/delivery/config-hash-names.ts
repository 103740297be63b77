import { canonicalJson, copyJson } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { describeObject, isWorkload } from './manifest-set.ts';
import { podSpecOf, referencesIn, renameReferences } from './pod-template.ts';

const isConfig = (object: KubernetesObject): boolean =>
  object.kind === 'ConfigMap' || object.kind === 'Secret';

/** Long enough that two contents of one name do not meet, short enough for a name. */
const hashChars = 10;

/** A name of an object ends at 253 characters. */
const longestName = 253;

const contentOf = (object: KubernetesObject): string =>
  canonicalJson({
    data: object['data'],
    binaryData: object['binaryData'],
    stringData: object['stringData'],
    type: object['type'],
  });

export interface HashedConfig {
  objects: KubernetesObject[];
  /** `ConfigMap/shop` to the name that carries the content's hash. */
  renamed: { from: string; to: string }[];
}

/**
 * Gives exactly those ConfigMaps and Secrets that our pod templates read a name with the hash
 * of their content, and makes them immutable: pods of the old version keep the old content,
 * and a change of content rolls the pods. Others keep their name and are patched in place.
 */
export const withHashedConfig = (
  objects: readonly KubernetesObject[],
  hexDigest: (text: string) => string,
): HashedConfig => {
  const copies = objects.map((object) => copyJson(object));
  const workloads = copies.filter(isWorkload);
  const referenced = new Set(workloads.flatMap((workload) => referencesIn(podSpecOf(workload))));
  const names = new Map<string, string>();
  for (const object of copies.filter(isConfig)) {
    const from = describeObject(object);
    if (!referenced.has(from)) continue;
    const suffix = `-${hexDigest(contentOf(object)).slice(0, hashChars)}`;
    object.metadata.name = `${object.metadata.name.slice(0, longestName - suffix.length)}${suffix}`;
    object['immutable'] = true;
    names.set(from, object.metadata.name);
  }
  for (const workload of workloads) {
    renameReferences(podSpecOf(workload), (reference) => names.get(reference));
  }
  return { objects: copies, renamed: [...names].map(([from, to]) => ({ from, to })) };
};
