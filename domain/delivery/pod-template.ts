import { isRecord, listAt, recordAt, stringAt, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

export const podSpecOf = (workload: KubernetesObject): JsonRecord =>
  recordAt(workload, 'spec', 'template', 'spec');

const containersIn = (podSpec: JsonRecord, list: string): JsonRecord[] =>
  listAt(podSpec, list).filter(isRecord);

/** Containers that serve; an init container is done before they start. */
export const servingContainersOf = (workload: KubernetesObject): JsonRecord[] =>
  containersIn(podSpecOf(workload), 'containers');

const allContainersOf = (workload: KubernetesObject): JsonRecord[] => [
  ...containersIn(podSpecOf(workload), 'initContainers'),
  ...servingContainersOf(workload),
];

/** Containers of a pod itself. */
export const allContainersIn = (pod: KubernetesObject): JsonRecord[] => {
  const podSpec = recordAt(pod, 'spec');
  return [...containersIn(podSpec, 'initContainers'), ...containersIn(podSpec, 'containers')];
};

export const imagesOf = (workload: KubernetesObject): { container: string; image: string }[] =>
  allContainersOf(workload).map((container) => ({
    container: stringAt(container, 'name') ?? '',
    image: stringAt(container, 'image') ?? '',
  }));

/** A place in a pod template that names a ConfigMap or Secret: the record, and its field. */
interface ReferencePlace {
  kind: 'ConfigMap' | 'Secret';
  holder: JsonRecord;
  field: string;
}

const place = (kind: ReferencePlace['kind'], holder: unknown, field: string): ReferencePlace[] =>
  isRecord(holder) && typeof holder[field] === 'string' ? [{ kind, holder, field }] : [];

const environmentPlaces = (container: JsonRecord): ReferencePlace[] => [
  ...listAt(container, 'envFrom').flatMap((source) => [
    ...place('ConfigMap', recordAt(source, 'configMapRef'), 'name'),
    ...place('Secret', recordAt(source, 'secretRef'), 'name'),
  ]),
  ...listAt(container, 'env').flatMap((variable) => [
    ...place('ConfigMap', recordAt(variable, 'valueFrom', 'configMapKeyRef'), 'name'),
    ...place('Secret', recordAt(variable, 'valueFrom', 'secretKeyRef'), 'name'),
  ]),
];

const volumePlaces = (volume: unknown): ReferencePlace[] => [
  ...place('ConfigMap', recordAt(volume, 'configMap'), 'name'),
  ...place('Secret', recordAt(volume, 'secret'), 'secretName'),
  ...listAt(volume, 'projected', 'sources').flatMap((source) => [
    ...place('ConfigMap', recordAt(source, 'configMap'), 'name'),
    ...place('Secret', recordAt(source, 'secret'), 'name'),
  ]),
];

const referencePlaces = (podSpec: JsonRecord): ReferencePlace[] => [
  ...['initContainers', 'containers'].flatMap((list) =>
    containersIn(podSpec, list).flatMap(environmentPlaces),
  ),
  ...listAt(podSpec, 'volumes').flatMap(volumePlaces),
  ...listAt(podSpec, 'imagePullSecrets').flatMap((secret) => place('Secret', secret, 'name')),
];

/** `ConfigMap/name` and `Secret/name` of everything that a pod spec reads. */
export const referencesIn = (podSpec: JsonRecord): string[] =>
  referencePlaces(podSpec).map(({ kind, holder, field }) => `${kind}/${String(holder[field])}`);

/** Changes references in place; `rename` answers undefined for those that stay. */
export const renameReferences = (
  podSpec: JsonRecord,
  rename: (reference: string) => string | undefined,
): void => {
  for (const { kind, holder, field } of referencePlaces(podSpec)) {
    const name = rename(`${kind}/${String(holder[field])}`);
    if (name !== undefined) holder[field] = name;
  }
};

/** Do the labels of the workload's pods satisfy a plain selector? An empty one selects nothing. */
export const selectsPodsOf = (selector: JsonRecord, workload: KubernetesObject): boolean => {
  const labels = recordAt(workload, 'spec', 'template', 'metadata', 'labels');
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
};
