import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createEnvironments,
  createReleases,
  createRoutes,
  createWorkloads,
} from '../../../activities/kubernetes/index.ts';
import type { Sandbox } from '../../../sandbox/index.ts';
import { readConnection } from '../../e2e/checker/api-reader.ts';
import { startFaultProxy, type FaultProxy } from '../../kill/fault-proxy.ts';
import { openRealSite, type RealSite } from './real-site.ts';

/** A site whose adapter reaches the API server through a proxy that can do harm. */
export interface ProxiedSite extends RealSite {
  proxy: FaultProxy;
}

const plainKubeconfig = (server: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster: { server } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
  });

export const openProxiedSite = async (sandbox: Sandbox): Promise<ProxiedSite> => {
  const site = await openRealSite(sandbox);
  const { kubeconfigPath, context } = sandbox.kubernetes;
  const proxy = await startFaultProxy(readConnection(kubeconfigPath, context));
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-proxied-'));
  await writeFile(path.join(directory, 'kubeconfig'), plainKubeconfig(proxy.url));
  const { namespace } = site;
  const staging = {
    kubeconfig: 'kubeconfig',
    context: 'proxy',
    namespace,
    traffic: 'none' as const,
  };
  const environments = createEnvironments({ file: { environments: { staging } }, directory });
  const deps = { environments, blobs: site.blobs };
  return {
    ...site,
    environments,
    proxy,
    releases: createReleases(deps),
    workloads: createWorkloads(deps),
    routes: createRoutes(deps),
    close: async () => {
      proxy.decide = () => ({ kind: 'forward' });
      await proxy.close();
      await site.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
