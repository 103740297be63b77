import { isRecord, listAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import {
  membershipChange,
  type Membership,
  type MembershipChange,
} from '../../domain/security/access-target.ts';

const group = 'rbac.authorization.k8s.io';

export const bindingKind = { apiVersion: `${group}/v1`, kind: 'RoleBinding' } as const;

/** On every RoleBinding of ours; one without it is someone else's, whatever it is called. */
const mark = { name: 'holdfast.dev/access', value: 'managed' } as const;

export const markSelector = `${mark.name}=${mark.value}`;

/** A name of RBAC may have any character that can stand in a path, so that each role has its own. */
export const bindingOf = (clusterRole: string): ObjectRef => ({
  ...bindingKind,
  name: `holdfast-access-${clusterRole}`,
});

/** The ClusterRole that it binds; undefined for a RoleBinding that is not ours. */
export const boundClusterRole = (binding: KubernetesObject): string | undefined => {
  const isMarked = binding.metadata.labels?.[mark.name] === mark.value;
  const bindsClusterRole = stringAt(binding, 'roleRef', 'kind') === 'ClusterRole';
  return isMarked && bindsClusterRole ? stringAt(binding, 'roleRef', 'name') : undefined;
};

export const newBinding = (clusterRole: string, give: readonly Membership[]): KubernetesObject => ({
  ...bindingKind,
  metadata: {
    name: bindingOf(clusterRole).name,
    labels: { 'app.kubernetes.io/managed-by': 'holdfast', [mark.name]: mark.value },
  },
  roleRef: { apiGroup: group, kind: 'ClusterRole', name: clusterRole },
  subjects: give.map(subjectOf),
});

const subjectOf = ({ member, kind }: Membership): unknown => ({
  apiGroup: group,
  kind: kind === 'group' ? 'Group' : 'User',
  name: member,
});

/** Also a ServiceAccount that someone put in by hand, by the name of the user that it is. */
const memberOf = (subject: unknown): Omit<Membership, 'right'> => {
  const name = stringAt(subject, 'name') ?? '';
  const kind = stringAt(subject, 'kind');
  if (kind !== 'ServiceAccount') return { member: name, kind: kind === 'Group' ? 'group' : 'user' };
  const namespace = stringAt(subject, 'namespace') ?? '';
  return { member: `system:serviceaccount:${namespace}:${name}`, kind: 'user' };
};

const subjectsOf = (binding: KubernetesObject): unknown[] =>
  listAt(binding, 'subjects').filter(isRecord);

/** What a RoleBinding of ours gives; nothing for one of others. */
export const membershipsIn = (binding: KubernetesObject): Membership[] => {
  const right = boundClusterRole(binding);
  if (right === undefined) return [];
  return subjectsOf(binding).map((subject) => ({ ...memberOf(subject), right }));
};

/** The subjects after a change; undefined where it changes none. */
export const changedSubjects = (
  binding: KubernetesObject,
  { remove, give }: MembershipChange,
): unknown[] | undefined => {
  const present = membershipsIn(binding);
  const isRemoved = (each: Membership): boolean =>
    membershipChange([each], remove).remove.length === 0;
  const kept = subjectsOf(binding).filter((_, index) => {
    const membership = present[index];
    return membership === undefined || !isRemoved(membership);
  });
  const added = membershipChange(present, give).give;
  if (kept.length === present.length && added.length === 0) return undefined;
  return [...kept, ...added.map(subjectOf)];
};
