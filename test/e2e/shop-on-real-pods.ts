import { readdirSync, readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { serviceRoute } from '../../sandbox/gateway/gateway-objects.ts';
import { packageRoot } from '../../sandbox/package-root.ts';
import type { Stack } from '../kill/release-rig.ts';
import { hostOf } from '../setup/release-stack.ts';
import { callApi, readConnection } from './checker/api-reader.ts';

/** The manifests of a version of the sample service, as the documentation shows them. */
export const shopManifests = (version: 'v1' | 'v2' | 'v3a' | 'v3b'): KubernetesObject[] => {
  const folder = path.join(packageRoot(), 'docs/examples/shop', version, 'k8s');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')))
    .map((document) => document.toJS() as KubernetesObject);
};

/** Lets requests with the namespace's host header through the gateway to its shop. */
export const routeToShop = async (stack: Stack, namespace: string): Promise<void> => {
  const connection = readConnection(stack.kubeconfigPath, stack.context);
  const agent = new https.Agent();
  await callApi(connection, agent, {
    method: 'POST',
    path: `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes`,
    body: serviceRoute({ namespace, service: 'shop', servicePort: 80, host: hostOf(namespace) }),
  });
  agent.destroy();
};
