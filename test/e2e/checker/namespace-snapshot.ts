import { setTimeout as delay } from 'node:timers/promises';
import type { ApiReader } from './api-reader.ts';
import { ignoredFields, ignoredGroups, ignoredKinds, normalise, podShape } from './ignore-list.ts';

export interface RawObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    uid: string;
    annotations?: Record<string, string>;
    ownerReferences?: { kind: string; name: string; uid: string }[];
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

/** Everything in one namespace, by `Kind/name`; pods by the shape they share. */
export interface NamespaceSnapshot {
  objects: Map<string, unknown>;
  /** uid of each object, for the check that a rollback re-uses the old ReplicaSet. */
  uids: Map<string, string>;
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean; verbs: string[] }[];
}

interface Resource {
  groupVersion: string;
  name: string;
  kind: string;
}

const groupVersions = async (reader: ApiReader): Promise<string[]> => {
  const groups = (await reader.get('/apis')) as {
    groups: { name: string; preferredVersion: { groupVersion: string } }[];
  };
  const stored = groups.groups.filter(({ name }) => !Object.hasOwn(ignoredGroups, name));
  return ['v1', ...stored.map((group) => group.preferredVersion.groupVersion)];
};

const rootOf = (groupVersion: string): string =>
  groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;

/** The kinds of a cluster do not change while it is compared with itself. */
const known = new WeakMap<ApiReader, Promise<Resource[]>>();

const namespacedResources = (reader: ApiReader): Promise<Resource[]> => {
  const resources = known.get(reader) ?? askForResources(reader);
  known.set(reader, resources);
  return resources;
};

/** Every kind of object that can be listed in a namespace, as the server itself says. */
const askForResources = async (reader: ApiReader): Promise<Resource[]> => {
  const found: Resource[] = [];
  for (const groupVersion of await groupVersions(reader)) {
    const list = (await reader.get(rootOf(groupVersion))) as ResourceList;
    for (const resource of list.resources) {
      const listable = resource.namespaced && resource.verbs.includes('list');
      if (listable && !Object.hasOwn(ignoredKinds, resource.kind)) {
        found.push({ groupVersion, name: resource.name, kind: resource.kind });
      }
    }
  }
  return found;
};

/** Reads every object of the namespace; nothing that the server can list is left out unsaid. */
export const takeSnapshot = async (
  reader: ApiReader,
  namespace: string,
): Promise<NamespaceSnapshot> => {
  const snapshot: NamespaceSnapshot = { objects: new Map(), uids: new Map() };
  const podCounts = new Map<string, number>();
  for (const resource of await namespacedResources(reader)) {
    const path = `${rootOf(resource.groupVersion)}/namespaces/${namespace}/${resource.name}`;
    const list = (await reader.get(path)) as { items: RawObject[] };
    for (const item of list.items) {
      const object = { ...item, apiVersion: resource.groupVersion, kind: resource.kind };
      if (object.kind === 'Pod') {
        const shape = podShape(object);
        podCounts.set(shape, (podCounts.get(shape) ?? 0) + 1);
        continue;
      }
      const key = `${object.kind}/${object.metadata.name}`;
      snapshot.objects.set(key, normalise(object));
      snapshot.uids.set(key, object.metadata.uid);
    }
  }
  for (const [shape, count] of podCounts) snapshot.objects.set(`Pods ${shape}`, { count });
  return snapshot;
};

/** The same once no pod is on its way out any more: what is compared with later must be at rest. */
export const takeSnapshotAtRest = async (
  reader: ApiReader,
  namespace: string,
): Promise<NamespaceSnapshot> => {
  for (;;) {
    const snapshot = await takeSnapshot(reader, namespace);
    if (![...snapshot.objects.keys()].some((key) => key.endsWith('(ending)'))) return snapshot;
    await delay(200);
  }
};

/** What the comparison leaves out, as text to print beside its verdict. */
export const describeIgnoreList = (): string[] => [
  ...Object.entries(ignoredGroups).map(([group, reason]) => `group ${group}: ${reason}`),
  ...Object.entries(ignoredKinds).map(([kind, reason]) => `kind ${kind}: ${reason}`),
  ...ignoredFields.map(({ path, reason }) => `${path}: ${reason}`),
];
