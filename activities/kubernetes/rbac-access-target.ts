import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import type {
  AccessTarget,
  Membership,
  MembershipChange,
} from '../../domain/security/access-target.ts';
import {
  bindingKind,
  bindingOf,
  boundClusterRole,
  changedSubjects,
  markSelector,
  membershipsIn,
  newBinding,
} from './access-bindings.ts';
import {
  asAccessTarget,
  foreignBinding,
  isMissing,
  missingClusterRole,
} from './access-target-failure.ts';
import { isHidden, isNotFound } from './api-error.ts';
import type { Cluster, Environments } from './environments.ts';
import {
  createObject,
  deleteObject,
  listObjects,
  patchObject,
  readObject,
} from './object-access.ts';
import { refuseLateWrite, untilDecided } from './release-writes.ts';

export interface RbacAccessTargetDeps {
  environments: Environments;
  /** Its namespace gets the RoleBindings. */
  environment: string;
}

/**
 * ClusterRoles of users and groups in the namespace of an environment: one RoleBinding for each
 * ClusterRole, `holdfast-access-<ClusterRole>`, with a label by which it is ours. Who else is in
 * such a RoleBinding counts as given by us; RoleBindings without the label are never touched.
 *
 * The user of the environment needs `get`, `list`, `create`, `patch` and `delete` on rolebindings,
 * and `bind` on the ClusterRoles, as deploy/kubernetes/access-target.yaml has it.
 */
export const createRbacAccessTarget = ({
  environments,
  environment,
}: RbacAccessTargetDeps): AccessTarget => {
  const locate = async (): Promise<Cluster> => environments.locate(environment);
  return {
    read: async () =>
      asAccessTarget({ subject: environment }, async () =>
        (await ourBindings(await locate())).flatMap(membershipsIn),
      ),
    change: async (change) => {
      const cluster = await asAccessTarget({ subject: environment }, locate);
      await takeAway(cluster, change.remove);
      for (const [clusterRole, give] of byRight(change.give)) {
        await giveIn(cluster, clusterRole, give);
      }
    },
  };
};

const ourBindings = async (cluster: Cluster): Promise<KubernetesObject[]> => {
  const { items } = await listObjects(cluster, bindingKind, { labelSelector: markSelector });
  return items.filter((binding) => boundClusterRole(binding) !== undefined);
};

const byRight = (memberships: readonly Membership[]): [string, Membership[]][] =>
  Object.entries(Object.groupBy(memberships, ({ right }) => right)).map(([right, those = []]) => [
    right,
    those,
  ]);

/** From every RoleBinding of ours, also from a copy under another name. */
const takeAway = async (cluster: Cluster, remove: readonly Membership[]): Promise<void> => {
  if (remove.length === 0) return;
  const subject = cluster.environment;
  const change = { remove, give: [] };
  const bindings = await asAccessTarget({ subject }, async () => ourBindings(cluster));
  for (const binding of bindings) {
    if (changedSubjects(binding, change) === undefined) continue;
    const { name } = binding.metadata;
    const ref = { ...bindingKind, name };
    await asAccessTarget({ subject: describeRef(ref) }, async () =>
      untilDecided(describeRef(ref), async () => {
        const live = await readObject(cluster, ref);
        if (live === undefined || boundClusterRole(live) === undefined) return true;
        return settle(cluster, live, change);
      }),
    );
  }
};

const giveIn = async (
  cluster: Cluster,
  clusterRole: string,
  give: readonly Membership[],
): Promise<void> => {
  const ref = bindingOf(clusterRole);
  const subject = describeRef(ref);
  await asAccessTarget({ subject, clusterRole }, async () =>
    untilDecided(subject, async () => {
      const live = await readObject(cluster, ref);
      if (live !== undefined && boundClusterRole(live) !== clusterRole) {
        throw foreignBinding(cluster, ref.name, clusterRole);
      }
      const change = { remove: [], give };
      if (live !== undefined && changedSubjects(live, change) === undefined) return true;
      await refuseMissing(cluster, clusterRole);
      if (live !== undefined) return settle(cluster, live, change);
      refuseLateWrite(subject);
      await createObject(cluster, newBinding(clusterRole, give));
      return true;
    }),
  );
};

/** Writes what is other than it should be; undefined, or refused, if it changed since it was read. */
const settle = async (
  cluster: Cluster,
  live: KubernetesObject,
  change: MembershipChange,
): Promise<true | undefined> => {
  const subjects = changedSubjects(live, change);
  if (subjects === undefined) return true;
  const { name, uid = '', resourceVersion = '' } = live.metadata;
  const ref = { ...bindingKind, name };
  refuseLateWrite(describeRef(ref));
  if (subjects.length === 0) {
    await deleteObject(cluster, { ref, uid, resourceVersion });
    return true;
  }
  try {
    await patchObject(cluster, {
      ref,
      operations: [
        { op: 'test', path: '/metadata/uid', value: uid },
        // Who was added since it was read would be lost otherwise.
        { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
        { op: 'add', path: '/subjects', value: subjects },
      ],
    });
    return true;
  } catch (error) {
    if (isMissing(error, name)) return undefined;
    throw error;
  }
};

/**
 * The API server takes a RoleBinding to a ClusterRole that is not there, and whoever makes one of
 * the name later gives it rights. Where we may not look, that is left to the server.
 */
const refuseMissing = async (cluster: Cluster, clusterRole: string): Promise<void> => {
  const path = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(clusterRole)}`;
  try {
    await cluster.api.call({ method: 'GET', path });
  } catch (error) {
    if (isNotFound(error)) throw missingClusterRole(clusterRole);
    if (!isHidden(error)) throw error;
  }
};
