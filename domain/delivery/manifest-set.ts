import { isRecord, listAt } from './canonical-json.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';

/** Kinds that a release manages, with the API version in which it writes them. */
export const managedKinds = {
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  Secret: { apiVersion: 'v1', plural: 'secrets' },
  Service: { apiVersion: 'v1', plural: 'services' },
  PodDisruptionBudget: { apiVersion: 'policy/v1', plural: 'poddisruptionbudgets' },
  StatefulSet: { apiVersion: 'apps/v1', plural: 'statefulsets' },
  DaemonSet: { apiVersion: 'apps/v1', plural: 'daemonsets' },
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  HorizontalPodAutoscaler: { apiVersion: 'autoscaling/v2', plural: 'horizontalpodautoscalers' },
} as const;

export type ManagedKind = keyof typeof managedKinds;

export const isManagedKind = (kind: string): kind is ManagedKind =>
  Object.hasOwn(managedKinds, kind);

/** Does it run pods from a template? */
export const isWorkload = ({ kind }: { kind: string }): boolean =>
  kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet';

export interface ManifestProblem {
  code: 'MANIFEST_INVALID' | 'MANIFEST_KIND_UNSUPPORTED' | 'READINESS_UNPROVABLE';
  /** `Kind/name`, or the position in the set where it has no name. */
  object: string;
  /** JSON pointer of the field; empty when the object as a whole is meant. */
  field: string;
  message: string;
}

const flatten = (value: unknown): unknown[] =>
  isRecord(value) && value['kind'] === 'List' ? listAt(value, 'items').flatMap(flatten) : [value];

const isObject = (value: unknown): value is KubernetesObject =>
  isRecord(value) &&
  typeof value['apiVersion'] === 'string' &&
  typeof value['kind'] === 'string' &&
  isRecord(value['metadata']) &&
  typeof value['metadata']['name'] === 'string' &&
  value['metadata']['name'] !== '';

export interface ManifestSet {
  objects: KubernetesObject[];
  problems: ManifestProblem[];
}

const shapeProblem = (value: unknown, index: number): ManifestProblem => {
  const missing = ['apiVersion', 'kind'].find(
    (field) => !isRecord(value) || typeof value[field] !== 'string',
  );
  const message = isRecord(value)
    ? `document ${String(index + 1)} has no ${missing ?? 'metadata.name'}`
    : `document ${String(index + 1)} is not a Kubernetes object`;
  return {
    code: 'MANIFEST_INVALID',
    object: `document ${String(index + 1)}`,
    field: missing === undefined ? '/metadata/name' : `/${missing}`,
    message,
  };
};

/** Sorts objects from documents; lists are opened. */
export const manifestSetOf = (documents: readonly unknown[]): ManifestSet => {
  const flat = documents.flatMap(flatten);
  return {
    objects: flat.filter(isObject),
    problems: flat.flatMap((value, index) => (isObject(value) ? [] : [shapeProblem(value, index)])),
  };
};

/** Opens the text of a `StoredManifestSet`. @throws SyntaxError if it is not one */
export const decodeManifestSet = (text: string): ManifestSet => {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || !Array.isArray(value['objects'])) {
    throw new SyntaxError('not a manifest set');
  }
  return manifestSetOf(listAt(value, 'objects'));
};

export const refOf = (object: KubernetesObject): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  name: object.metadata.name,
});

export const describeObject = (object: KubernetesObject): string => describeRef(refOf(object));
