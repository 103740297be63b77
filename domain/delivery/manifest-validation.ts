import { isRecord, numberAt, recordAt, stringAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import {
  describeObject,
  isManagedKind,
  isWorkload,
  managedKinds,
  type ManifestProblem,
  type ManifestSet,
} from './manifest-set.ts';
import { servingContainersOf } from './pod-template.ts';

type Finding = Omit<ManifestProblem, 'object'>;

/** Why a kind is not managed, where the reader could expect that it is. */
const refusedKinds: Readonly<Record<string, string>> = {
  Job: 'what a Job has done cannot be undone; run it before or after the release',
  CronJob: 'it starts Jobs on its own time; change it outside the release',
  ReplicaSet: 'it belongs to its Deployment',
  ControllerRevision: 'it belongs to its StatefulSet or DaemonSet',
  Pod: 'a bare pod has no old version to go back to; use a Deployment',
  Namespace: 'a release never creates or deletes a namespace',
  PersistentVolumeClaim: 'storage is never created or deleted by a release',
  Ingress: 'traffic rules are not part of a release; manage them with the gateway',
};

const unsupportedKind = (object: KubernetesObject): Finding[] => {
  if (isManagedKind(object.kind)) {
    const { apiVersion } = managedKinds[object.kind];
    if (object.apiVersion === apiVersion) return [];
    return [
      {
        code: 'MANIFEST_KIND_UNSUPPORTED',
        field: '/apiVersion',
        message: `apiVersion ${object.apiVersion} is not managed; write it as ${apiVersion}`,
      },
    ];
  }
  const reason = refusedKinds[object.kind] ?? 'its changes cannot be put back exactly';
  const known = Object.keys(managedKinds).join(', ');
  return [
    {
      code: 'MANIFEST_KIND_UNSUPPORTED',
      field: '/kind',
      message: `a ${object.kind} is not managed by a release: ${reason}. Managed kinds: ${known}`,
    },
  ];
};

const otherNamespace = (object: KubernetesObject, namespace: string): Finding[] => {
  const named = object.metadata.namespace;
  if (named === undefined || named === namespace) return [];
  return [
    {
      code: 'MANIFEST_INVALID',
      field: '/metadata/namespace',
      message: `names the namespace ${named}, but the environment is the namespace ${namespace}`,
    },
  ];
};

/** A crashing container counts as available at once unless something makes it wait. */
const unprovableReadiness = (object: KubernetesObject): Finding[] => {
  if (!isWorkload(object)) return [];
  if ((numberAt(object, 'spec', 'minReadySeconds') ?? 0) > 0) return [];
  return servingContainersOf(object)
    .filter((container) => !isRecord(container['readinessProbe']))
    .map((container) => ({
      code: 'READINESS_UNPROVABLE' as const,
      field: '/spec/template/spec/containers',
      message: `container ${stringAt(container, 'name') ?? '(unnamed)'} has no readinessProbe and the ${object.kind} no minReadySeconds`,
    }));
};

const pausedOnArrival = (object: KubernetesObject): Finding[] =>
  object.kind === 'Deployment' && recordAt(object, 'spec')['paused'] === true
    ? [
        {
          code: 'MANIFEST_INVALID',
          field: '/spec/paused',
          message: 'is true, so that the new version would never be rolled out',
        },
      ]
    : [];

/** Pods that are replaced only when someone deletes them are never rolled out by anybody. */
const replacedOnDelete = (object: KubernetesObject): Finding[] =>
  isWorkload(object) && recordAt(object, 'spec', 'updateStrategy')['type'] === 'OnDelete'
    ? [
        {
          code: 'MANIFEST_INVALID',
          field: '/spec/updateStrategy/type',
          message:
            'is OnDelete, so that the new version would not be rolled out until someone deletes the pods; write RollingUpdate',
        },
      ]
    : [];

const generatedName = (object: KubernetesObject): Finding[] =>
  object.metadata['generateName'] === undefined
    ? []
    : [
        {
          code: 'MANIFEST_INVALID',
          field: '/metadata/generateName',
          message: 'a generated name cannot be found again; give the object a name',
        },
      ];

const duplicates = (objects: readonly KubernetesObject[]): ManifestProblem[] => {
  const seen = new Set<string>();
  return objects.flatMap((object) => {
    const name = describeObject(object);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [
      {
        code: 'MANIFEST_INVALID' as const,
        object: name,
        field: '',
        message: 'appears twice in the manifests',
      },
    ];
  });
};

const emptySet = (objects: readonly KubernetesObject[]): ManifestProblem[] =>
  objects.length > 0
    ? []
    : [
        {
          code: 'MANIFEST_INVALID',
          object: 'manifests',
          field: '',
          message: 'there is no object in them',
        },
      ];

/** Everything that can be refused by reading the manifests alone, all at once. */
export const problemsOf = (set: ManifestSet, namespace: string): ManifestProblem[] => [
  ...set.problems,
  ...(set.problems.length === 0 ? emptySet(set.objects) : []),
  ...duplicates(set.objects),
  ...set.objects.flatMap((object) => {
    const findings = [
      ...unsupportedKind(object),
      ...otherNamespace(object, namespace),
      ...generatedName(object),
      ...unprovableReadiness(object),
      ...pausedOnArrival(object),
      ...replacedOnDelete(object),
    ];
    return findings.map((finding) => ({ ...finding, object: describeObject(object) }));
  }),
];
