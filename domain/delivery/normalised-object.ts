import { canonicalJson, copyJson, isRecord, type JsonRecord } from './canonical-json.ts';
import { annotations, type KubernetesObject } from './kubernetes-object.ts';
import type { Proof } from './proof.ts';

export interface ComparisonScope {
  /** An autoscaler that was there before the release owns the number of replicas. */
  autoscaledReplicas?: boolean;
  /** Someone deleted the object; it was created again and has a new identity. */
  recreated?: boolean;
  /** The release created the object, and the API server filled in addresses. */
  allocated?: boolean;
}

interface IgnoredField {
  path: string;
  reason: string;
  when?: keyof ComparisonScope;
}

/** Fields that a comparison leaves out; printed with every proof. */
const ignoredFields: readonly IgnoredField[] = [
  { path: '/metadata/resourceVersion', reason: 'counts every write, also of status' },
  { path: '/metadata/generation', reason: 'counts changes of the spec, there and back' },
  { path: '/metadata/managedFields', reason: 'records who wrote which field, not its value' },
  { path: '/status', reason: 'observed by Kubernetes, not wished by anyone' },
  ...Object.values(annotations).map((name) => ({
    path: `/metadata/annotations/${name.replaceAll('/', '~1')}`,
    reason: 'bookkeeping of Holdfast; the fence must not go down',
  })),
  {
    path: '/metadata/annotations/deployment.kubernetes.io~1*',
    reason: 'bookkeeping of the Deployment controller, e.g. the revision number',
  },
  {
    path: '/metadata/annotations/deprecated.daemonset.template.generation',
    reason: 'counts changes of the template of a DaemonSet, there and back',
  },
  {
    path: '/spec/replicas',
    reason: 'owned by a HorizontalPodAutoscaler that was there before',
    when: 'autoscaledReplicas',
  },
  {
    path: '/metadata/uid',
    reason: 'someone deleted the object; it was created again',
    when: 'recreated',
  },
  {
    path: '/metadata/creationTimestamp',
    reason: 'someone deleted the object; it was created again',
    when: 'recreated',
  },
  {
    path: '/spec/clusterIP, /spec/clusterIPs, /spec/ports/*/nodePort',
    reason: 'given out by the API server to a Service that the release created',
    when: 'allocated',
  },
];

export const ignoredTable: Proof['ignored'] = ignoredFields.map(({ path, reason }) => ({
  path,
  reason,
}));

const isOurs = (name: string): boolean =>
  Object.values(annotations).some((own) => own === name) ||
  name.startsWith('deployment.kubernetes.io/') ||
  name === 'deprecated.daemonset.template.generation';

const dropEmptyMap = (holder: JsonRecord, field: string): void => {
  const value = holder[field];
  if (isRecord(value) && Object.keys(value).length === 0) Reflect.deleteProperty(holder, field);
};

const normaliseMetadata = (metadata: JsonRecord, scope: ComparisonScope): void => {
  for (const field of ['resourceVersion', 'generation', 'managedFields', 'selfLink']) {
    Reflect.deleteProperty(metadata, field);
  }
  if (scope.recreated === true || scope.allocated === true) {
    Reflect.deleteProperty(metadata, 'uid');
    Reflect.deleteProperty(metadata, 'creationTimestamp');
  }
  const marks = metadata['annotations'];
  if (!isRecord(marks)) return;
  for (const name of Object.keys(marks).filter(isOurs)) Reflect.deleteProperty(marks, name);
  dropEmptyMap(metadata, 'annotations');
};

const dropAllocated = (spec: JsonRecord): void => {
  Reflect.deleteProperty(spec, 'clusterIP');
  Reflect.deleteProperty(spec, 'clusterIPs');
  const ports = Array.isArray(spec['ports']) ? (spec['ports'] as unknown[]) : [];
  for (const port of ports) if (isRecord(port)) Reflect.deleteProperty(port, 'nodePort');
};

/** A copy without the fields that the table leaves out. */
export const normalised = (
  object: KubernetesObject,
  scope: ComparisonScope = {},
): KubernetesObject => {
  const copy = copyJson(object);
  Reflect.deleteProperty(copy, 'status');
  normaliseMetadata(copy.metadata, scope);
  const spec = copy['spec'];
  if (isRecord(spec)) {
    if (scope.autoscaledReplicas === true) Reflect.deleteProperty(spec, 'replicas');
    if (scope.allocated === true && copy.kind === 'Service') dropAllocated(spec);
  }
  return copy;
};

/** The normalised target with the left-out fields of the live object put back. */
export const withLiveBookkeeping = (
  target: KubernetesObject,
  live: KubernetesObject,
): KubernetesObject => {
  const { annotations: wanted, ...metadata } = target.metadata;
  const kept = Object.entries(live.metadata.annotations ?? {}).filter(([name]) => isOurs(name));
  const marks = { ...wanted, ...Object.fromEntries(kept) };
  const merged: KubernetesObject = {
    ...copyJson(live),
    ...copyJson(target),
    metadata: {
      ...copyJson(metadata),
      ...Object.fromEntries(
        ['uid', 'resourceVersion', 'generation', 'managedFields', 'creationTimestamp']
          .filter((field) => live.metadata[field] !== undefined)
          .map((field) => [field, live.metadata[field]]),
      ),
      name: live.metadata.name,
      ...(Object.keys(marks).length > 0 || live.metadata.annotations !== undefined
        ? { annotations: marks }
        : {}),
    },
  };
  for (const field of Object.keys(merged)) {
    if (field !== 'status' && !Object.hasOwn(target, field)) Reflect.deleteProperty(merged, field);
  }
  return merged;
};

/** The text whose hash stands for the object in a proof. */
export const fingerprintText = (object: KubernetesObject, scope: ComparisonScope = {}): string =>
  canonicalJson(normalised(object, scope));
