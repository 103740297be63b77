import { createHash } from 'node:crypto';
import type { KubernetesObject, StoredManifestSet } from '../domain/delivery/kubernetes-object.ts';
import { canonicalJson } from '../domain/delivery/canonical-json.ts';

/** A Kubernetes object as a caller has it; the worker checks it against the API server. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** The bytes that workers read, and the name that follows from the content. */
export interface EncodedManifests {
  bytes: Uint8Array;
  /** Release name for callers that have none: equal manifests have equal names. */
  contentName: string;
}

export const encodeManifests = (objects: readonly Manifest[]): EncodedManifests => {
  const set: StoredManifestSet = {
    objects: objects as readonly KubernetesObject[] as KubernetesObject[],
  };
  const bytes = new TextEncoder().encode(canonicalJson(set));
  const hash = createHash('sha256').update(bytes).digest('hex');
  return { bytes, contentName: `c-${hash.slice(0, 10)}` };
};
