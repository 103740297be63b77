import { isRecord, listAt, recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import { managedKinds, type ManagedKind } from '../../domain/delivery/manifest-set.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import { collections, groupOf, pluralOf } from './object-access.ts';

export interface Permission {
  verb: string;
  group: string;
  /** `pods` or `pods/log`. */
  resource: string;
}

/** What must be allowed on routes of this kind. */
export interface RoutePermission {
  kind: string;
  verbs: readonly string[];
}

/** Watching a rollout, its endpoints and its logs, and taking away what it leaves behind. */
const watching: readonly Permission[] = [
  ...['list', 'watch'].map((verb) => ({ verb, group: '', resource: 'pods' })),
  { verb: 'get', group: '', resource: 'pods/log' },
  ...['list', 'delete'].map((verb) => ({ verb, group: 'apps', resource: 'replicasets' })),
  ...['list', 'watch'].map((verb) => ({
    verb,
    group: 'discovery.k8s.io',
    resource: 'endpointslices',
  })),
  { verb: 'watch', group: 'apps', resource: 'deployments' },
];

/** Kinds that own their pods themselves, and have revisions in the place of ReplicaSets. */
const watchingRevisions = (planned: ReadonlySet<string>): Permission[] => {
  const owners = (['StatefulSet', 'DaemonSet'] as const).filter((kind) => planned.has(kind));
  if (owners.length === 0) return [];
  const group = 'apps';
  return [
    ...owners.map((kind) => ({ verb: 'watch', group, resource: managedKinds[kind].plural })),
    ...['list', 'delete'].map((verb) => ({ verb, group, resource: 'controllerrevisions' })),
    ...(planned.has('StatefulSet') ? [{ verb: 'delete', group: '', resource: 'pods' }] : []),
  ];
};

const forKind = (kind: ManagedKind, planned: boolean): Permission[] => {
  const { apiVersion, plural } = managedKinds[kind];
  const verbs = planned ? ['get', 'list', 'create', 'patch', 'delete'] : ['list'];
  return verbs.map((verb) => ({ verb, group: groupOf(apiVersion), resource: plural }));
};

/** A release borrows the route that is named; one of its own it creates and deletes. */
const forRoute = ({ kind, verbs }: RoutePermission): Permission[] =>
  verbs.map((verb) => ({
    verb,
    group: groupOf(collections.httpRoutes.apiVersion),
    resource: pluralOf(kind),
  }));

const covers = (list: unknown[], value: string): boolean =>
  list.some((item) => item === '*' || item === value);

const allows = (rule: unknown, { verb, group, resource }: Permission): boolean => {
  const subresource = resource.split('/')[1];
  const names = listAt(rule, 'resources');
  return (
    isRecord(rule) &&
    listAt(rule, 'resourceNames').length === 0 &&
    covers(listAt(rule, 'verbs'), verb) &&
    covers(listAt(rule, 'apiGroups'), group) &&
    (covers(names, resource) || (subresource !== undefined && covers(names, `*/${subresource}`)))
  );
};

/** A review is a question in the form of a POST; it stores nothing. */
const review = async (cluster: Cluster, kind: string, spec: object): Promise<unknown> => {
  const apiVersion =
    kind === 'SelfSubjectReview' ? 'authentication.k8s.io/v1' : 'authorization.k8s.io/v1';
  return cluster.api.call({
    method: 'POST',
    path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
    body: kind === 'SelfSubjectReview' ? { apiVersion, kind } : { apiVersion, kind, spec },
  });
};

/** The name by which the cluster knows us, for whoever grants the permission. */
const ownName = async (cluster: Cluster): Promise<string> => {
  const answer = await review(cluster, 'SelfSubjectReview', {});
  return stringAt(answer, 'status', 'userInfo', 'username') ?? 'of the environment';
};

/** Asked one by one where the list of rules does not say yes: an authorizer need not list its rules. */
const isAllowed = async (cluster: Cluster, permission: Permission): Promise<boolean> => {
  const [resource, subresource] = permission.resource.split('/');
  const resourceAttributes = {
    namespace: cluster.namespace,
    verb: permission.verb,
    group: permission.group,
    resource,
    ...(subresource === undefined ? {} : { subresource }),
  };
  const answer = await review(cluster, 'SelfSubjectAccessReview', { resourceAttributes });
  return recordAt(answer, 'status')['allowed'] === true;
};

/**
 * Refuses before anything is touched if a permission is missing that the release, its way back
 * or its proof needs. @throws PERMISSION_MISSING naming every verb and resource
 */
export const checkPermissions = async (
  cluster: Cluster,
  plannedKinds: ReadonlySet<string>,
  route?: RoutePermission,
): Promise<void> => {
  const kinds = Object.keys(managedKinds) as ManagedKind[];
  const needed = [
    ...kinds.flatMap((kind) => forKind(kind, plannedKinds.has(kind))),
    ...watching,
    ...watchingRevisions(plannedKinds),
    ...(route === undefined ? [] : forRoute(route)),
  ];
  await requirePermissions(cluster, needed);
};

/** @throws PERMISSION_MISSING naming every verb and resource that is missing */
export const requirePermissions = async (
  cluster: Cluster,
  needed: readonly Permission[],
): Promise<void> => {
  if (needed.length === 0) return;
  const { namespace } = cluster;
  const rules = await review(cluster, 'SelfSubjectRulesReview', { namespace });
  const known = listAt(rules, 'status', 'resourceRules');
  const open = needed.filter((permission) => !known.some((rule) => allows(rule, permission)));
  const answers = await Promise.all(open.map(async (permission) => isAllowed(cluster, permission)));
  const missing = open.filter((_, index) => answers[index] !== true);
  if (missing.length === 0) return;
  const list = missing.map(({ verb, resource }) => `${verb} ${resource}`).join(', ');
  const user = await ownName(cluster);
  throw codedFailure({
    code: 'PERMISSION_MISSING',
    message: `User ${user} may not do in namespace ${namespace}: ${list}; nothing was touched.`,
    subject: list,
  });
};
