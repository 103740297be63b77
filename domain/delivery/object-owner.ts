import { isRecord, listAt, stringAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

const labelOf = (object: KubernetesObject, name: string): string | undefined =>
  object.metadata.labels?.[name];

const markOf = (object: KubernetesObject, name: string): string | undefined =>
  object.metadata.annotations?.[name];

const helmOwner = (object: KubernetesObject): string | undefined => {
  const release = markOf(object, 'meta.helm.sh/release-name');
  if (release !== undefined) return `Helm release ${release}`;
  return labelOf(object, 'app.kubernetes.io/managed-by') === 'Helm' ? 'Helm' : undefined;
};

const argoOwner = (object: KubernetesObject): string | undefined => {
  const application =
    markOf(object, 'argocd.argoproj.io/tracking-id')?.split(':')[0] ??
    labelOf(object, 'argocd.argoproj.io/instance');
  return application === undefined ? undefined : `Argo CD application ${application}`;
};

const fluxOwner = (object: KubernetesObject): string | undefined => {
  const kustomization = labelOf(object, 'kustomize.toolkit.fluxcd.io/name');
  if (kustomization !== undefined) return `Flux Kustomization ${kustomization}`;
  const release = labelOf(object, 'helm.toolkit.fluxcd.io/name');
  return release === undefined ? undefined : `Flux HelmRelease ${release}`;
};

const controllerOwner = (object: KubernetesObject): string | undefined => {
  const controller = listAt(object.metadata, 'ownerReferences').find(
    (reference) => isRecord(reference) && reference['controller'] === true,
  );
  if (controller === undefined) return undefined;
  return `the controller of ${stringAt(controller, 'kind') ?? ''}/${stringAt(controller, 'name') ?? ''}`;
};

/** The tool that would undo our change at its next run; undefined where there is none. */
export const ownerElsewhere = (object: KubernetesObject): string | undefined =>
  fluxOwner(object) ?? argoOwner(object) ?? helmOwner(object) ?? controllerOwner(object);

const ownerLabels = [
  'app.kubernetes.io/managed-by',
  'argocd.argoproj.io/instance',
  'kustomize.toolkit.fluxcd.io/name',
  'kustomize.toolkit.fluxcd.io/namespace',
  'helm.toolkit.fluxcd.io/name',
  'helm.toolkit.fluxcd.io/namespace',
];

/** A copy without the labels by which a tool would take the object for its own and prune it. */
export const withoutOwner = (object: KubernetesObject): KubernetesObject => {
  const { labels, ...metadata } = object.metadata;
  if (labels === undefined) return object;
  const kept = Object.entries(labels).filter(([name]) => !ownerLabels.includes(name));
  return { ...object, metadata: { ...metadata, labels: Object.fromEntries(kept) } };
};
