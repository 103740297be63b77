import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { stringAt } from '../../../domain/delivery/canonical-json.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import {
  createEnvironments,
  createReleases,
  createRoutes,
  createWorkloads,
  type Environments,
} from '../../../activities/kubernetes/index.ts';
import type { Releases } from '../../../activities/kubernetes/port.ts';
import type { RealSite } from './real-site.ts';

export interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Account {
  name: string;
  rules: Rule[];
  directory: string;
}

const grant = async (site: RealSite, name: string, rules: Rule[]): Promise<void> => {
  const { api, namespace } = site;
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await api.call({ method: 'POST', path: `${rbac}/roles`, body: { metadata: { name }, rules } });
  await api.call({
    method: 'POST',
    path: `${rbac}/rolebindings`,
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  });
};

interface SandboxConfig {
  clusters: unknown[];
  contexts: { name: string; context: { cluster: string } }[];
}

/** Writes a kubeconfig for a ServiceAccount that may do exactly what the rules say. */
const writeLimitedKubeconfig = async (
  sandbox: Sandbox,
  site: RealSite,
  account: Account,
): Promise<string> => {
  const { name, rules, directory } = account;
  const accounts = `/api/v1/namespaces/${site.namespace}/serviceaccounts`;
  await site.api.call({ method: 'POST', path: accounts, body: { metadata: { name } } });
  await grant(site, name, rules);
  const answer = await site.api.call({
    method: 'POST',
    path: `${accounts}/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const sandboxConfig = await readFile(sandbox.kubernetes.kubeconfigPath, 'utf8');
  const { clusters, contexts } = parse(sandboxConfig) as SandboxConfig;
  const cluster = contexts.find((entry) => entry.name === sandbox.kubernetes.context)?.context
    .cluster;
  const token = stringAt(answer, 'status', 'token');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    users: [{ name: 'limited', user: { token } }],
    contexts: [{ name: 'limited', context: { cluster, user: 'limited' } }],
  };
  const file = path.join(directory, `${name}.kubeconfig`);
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
};

/** The environment `staging` as a ServiceAccount with exactly these rights. */
export const environmentsAs = async (
  sandbox: Sandbox,
  site: RealSite,
  account: Account,
): Promise<Environments> => {
  const kubeconfig = await writeLimitedKubeconfig(sandbox, site, account);
  const { namespace } = site;
  return createEnvironments({
    file: {
      environments: { staging: { kubeconfig, context: 'limited', namespace, traffic: 'none' } },
    },
    directory: account.directory,
  });
};

/** The whole capability as a ServiceAccount with exactly these rights. */
export const portsAs = async (
  sandbox: Sandbox,
  site: RealSite,
  account: Account,
): Promise<Pick<RealSite, 'releases' | 'workloads' | 'routes'>> => {
  const environments = await environmentsAs(sandbox, site, account);
  const deps = { environments, blobs: site.blobs };
  return {
    releases: createReleases(deps),
    workloads: createWorkloads(deps),
    routes: createRoutes(deps),
  };
};

/** Releases as a ServiceAccount with exactly these rights. */
export const releasesAs = async (
  sandbox: Sandbox,
  site: RealSite,
  account: Account,
): Promise<Releases> => (await portsAs(sandbox, site, account)).releases;
