import { canonicalJson, isRecord } from './canonical-json.ts';
import type { JsonPath } from './json-pointer.ts';

/**
 * Fields that name an element of a list, by the list's field name: the merge keys
 * of the Kubernetes API (`x-kubernetes-list-map-keys` of the published schema).
 * Without them an element could only be told by its position.
 */
const identityFields: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  ownerReferences: ['uid'],
  backendRefs: ['group', 'kind', 'namespace', 'name', 'port'],
};

/** Name of the list that a path ends in or passes last. */
export const listFieldOf = (path: JsonPath): string =>
  path.findLast((step) => typeof step === 'string') ?? '';

/** A Service names its ports by `port`, a container by `containerPort`. */
const portIdentity = (item: Record<string, unknown>): readonly string[] =>
  Object.hasOwn(item, 'containerPort') ? ['containerPort', 'protocol'] : ['port', 'protocol'];

const fieldsFor = (listField: string, item: Record<string, unknown>): readonly string[] => {
  if (listField === 'ports') return portIdentity(item);
  return identityFields[listField] ?? (typeof item['name'] === 'string' ? ['name'] : []);
};

/** The members of an element that must not change while we address it by its position. */
export const identityMembers = (
  listField: string,
  item: unknown,
): { field: string; value: unknown }[] =>
  isRecord(item)
    ? fieldsFor(listField, item)
        .filter((field) => item[field] !== undefined)
        .map((field) => ({ field, value: item[field] }))
    : [];

/** Default of `protocol`, which a manifest may leave out and the API server fills in. */
const withDefaults = (field: string, value: unknown): unknown =>
  field === 'protocol' ? (value ?? 'TCP') : value;

/** Text that names an element in its list, or undefined where it has no identity. */
export const identityOf = (listField: string, item: unknown): string | undefined => {
  if (!isRecord(item)) return undefined;
  const fields = fieldsFor(listField, item);
  if (fields.length === 0) return undefined;
  return canonicalJson(fields.map((field) => withDefaults(field, item[field])));
};

/** Identities of a whole list; undefined if one is missing or appears twice. */
export const identitiesOf = (listField: string, list: readonly unknown[]): string[] | undefined => {
  const names = list.map((item) => identityOf(listField, item));
  const known = names.filter((name) => name !== undefined);
  return known.length === names.length && new Set(known).size === known.length ? known : undefined;
};

/** Do two lists hold the same elements at the same positions, as far as identity tells? */
export const alignedByIndex = (
  listField: string,
  left: readonly unknown[],
  right: readonly unknown[],
): boolean =>
  left.length === right.length &&
  left.every((item, index) => identityOf(listField, item) === identityOf(listField, right[index]));
