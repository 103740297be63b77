import type { RawObject } from './namespace-snapshot.ts';

/** Kinds that other controllers derive or that record the past, with the reason for each. */
export const ignoredKinds: Readonly<Record<string, string>> = {
  Event: 'a record of what happened, not a state',
  EndpointSlice: 'derived from Services and pods; the pods themselves are compared',
  Endpoints: 'derived from Services and pods; the pods themselves are compared',
  Lease: 'a heartbeat of a component',
  ControllerRevision: 'kept by its controller',
};

/** API groups that are not even asked, with the reason for each. */
export const ignoredGroups: Readonly<Record<string, string>> = {
  'metrics.k8s.io': 'measurements; whoever serves them comes and goes',
};

/** Fields left out of the comparison, with the reason for each. */
export const ignoredFields: readonly { path: string; reason: string }[] = [
  { path: 'metadata.resourceVersion', reason: 'counts writes of anyone' },
  { path: 'metadata.generation', reason: 'counts changes, also those that were put back' },
  { path: 'metadata.managedFields', reason: 'records who wrote, not what is there' },
  { path: 'status', reason: 'observed by controllers' },
  { path: 'metadata.annotations[holdfast.dev/*]', reason: 'the fence only grows' },
  {
    path: 'metadata.annotations[deployment.kubernetes.io/*]',
    reason: 'revision numbers of the Deployment controller',
  },
  {
    path: 'metadata.annotations[deprecated.daemonset.template.generation]',
    reason: 'the API server counts changes of the template, also those that were put back',
  },
  { path: 'Pod name, uid and addresses', reason: 'pods are compared by owner and specification' },
];

const ownAnnotation =
  /^((holdfast\.dev|deployment\.kubernetes\.io)\/|deprecated\.daemonset\.template\.generation$)/;

const withoutOwnAnnotations = (
  all: Record<string, string> | undefined,
): Record<string, string> | undefined => {
  const kept = Object.entries(all ?? {}).filter(([name]) => !ownAnnotation.test(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};

/** The object without the ignored fields; everything else, known or not, stays. */
export const normalise = (object: RawObject): unknown => {
  const { status: _status, metadata, ...rest } = object;
  const {
    resourceVersion: _resourceVersion,
    generation: _generation,
    managedFields: _managedFields,
    annotations,
    ...identity
  } = metadata;
  return { ...rest, metadata: { ...identity, annotations: withoutOwnAnnotations(annotations) } };
};

/** Owner and specification of a pod: what two pods of one ReplicaSet have in common. */
export const podShape = (pod: RawObject): string => {
  const owner = pod.metadata.ownerReferences?.[0];
  const spec = pod['spec'] as { containers: { name: string; image: string }[] };
  const images = spec.containers.map((container) => `${container.name}=${container.image}`);
  const ending = pod.metadata['deletionTimestamp'] === undefined ? '' : ' (ending)';
  return `of ${owner?.kind ?? 'nobody'}/${owner?.name ?? ''}: ${images.join(' ')}${ending}`;
};
