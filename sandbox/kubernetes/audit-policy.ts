/**
 * Audit policy: every request by which a client changes something, with body
 * and answer; nothing of the cluster's own components. What remains in the log
 * is what our writes can be counted from.
 */
import { COMPONENTS_GROUP } from './certificates.ts';

export const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [
    {
      level: 'None',
      userGroups: [COMPONENTS_GROUP, 'system:nodes', 'system:serviceaccounts:kube-system'],
    },
    {
      level: 'None',
      users: [
        'system:apiserver',
        'system:kube-controller-manager',
        'system:kube-scheduler',
        'system:kube-proxy',
      ],
    },
    // Reviews are asked with the verb create and change nothing.
    {
      level: 'None',
      resources: [{ group: 'authorization.k8s.io' }, { group: 'authentication.k8s.io' }],
    },
    {
      level: 'RequestResponse',
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
    },
    { level: 'None' },
  ],
};
