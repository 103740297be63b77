import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from '@jest/globals';
import { createRbacAccessTarget, type Environments } from '../../../activities/kubernetes/index.ts';
import { listAt } from '../../../domain/delivery/canonical-json.ts';
import type { AccessTarget } from '../../../domain/security/access-target.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import type { RealSite } from './real-site.ts';
import { sandboxApi } from './real-site.ts';
import { realSites } from './real-sites.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';

/** A namespace without RoleBindings, and two ClusterRoles to bind there. */
export interface AccessSpace {
  sandbox: Sandbox;
  site: RealSite;
  /** With a colon, as many of Kubernetes' own have. The first one lets read config maps. */
  rights: readonly [string, string];
  /** For files of the tests. */
  directory: string;
  target: AccessTarget;
  bindings(): Promise<unknown[]>;
  /** As a person with kubectl would. */
  addBinding(binding: Binding): Promise<void>;
}

interface Binding {
  name: string;
  subjects: readonly unknown[];
  labels?: Record<string, string>;
  clusterRole?: string;
}

export const targetIn = (environments: Environments): AccessTarget =>
  createRbacAccessTarget({ environments, environment: 'staging' });

export const userSubject = (name: string) => ({
  apiGroup: 'rbac.authorization.k8s.io',
  kind: 'User',
  name,
});

/** Opens spaces for the tests of a file, and leaves nothing of them. */
export const accessSpaces = (): (() => Promise<AccessSpace>) => {
  let sandbox: Sandbox;
  let directory: string;
  let rights: readonly [string, string];
  const openSite = realSites(async (started) => {
    sandbox = started;
    directory = await mkdtemp(path.join(tmpdir(), 'holdfast-access-'));
    const suffix = path.basename(directory);
    rights = [`holdfast:reader:${suffix}`, `holdfast:writer:${suffix}`];
    const api = await sandboxApi(sandbox);
    for (const [index, name] of rights.entries()) {
      const verbs = [index === 0 ? 'get' : 'delete'];
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
      const body = { metadata: { name }, rules };
      await api.call({ method: 'POST', path: `${rbac}/clusterroles`, body });
    }
  });
  afterAll(async () => {
    const api = await sandboxApi(sandbox);
    for (const name of rights) {
      const clusterRole = `${rbac}/clusterroles/${encodeURIComponent(name)}`;
      await api.call({ method: 'DELETE', path: clusterRole });
    }
    await rm(directory, { recursive: true, force: true });
  });
  return async () => {
    const site = await openSite();
    const { api, namespace, environments } = site;
    const collection = `${rbac}/namespaces/${namespace}/rolebindings`;
    return {
      ...{ sandbox, site, rights, directory, target: targetIn(environments) },
      bindings: async () => listAt(await api.call({ method: 'GET', path: collection }), 'items'),
      addBinding: async ({ name, subjects, labels = {}, clusterRole = rights[0] }) => {
        const group = 'rbac.authorization.k8s.io';
        const roleRef = { apiGroup: group, kind: 'ClusterRole', name: clusterRole };
        const body = { metadata: { name, labels }, roleRef, subjects };
        await api.call({ method: 'POST', path: collection, body });
      },
    };
  };
};
