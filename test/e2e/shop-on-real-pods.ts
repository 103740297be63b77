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

/** A busy machine's gateway hears later than in the usual two seconds that a pod is going away. */
const drainsLong = { name: 'SHOP_DRAIN', value: '6s' };

interface PodTemplate {
  spec: { containers: { env: object[] }[] };
}

const patient = (object: KubernetesObject): KubernetesObject => {
  if (object.kind !== 'Deployment') return object;
  const spec = object['spec'] as { template: PodTemplate };
  const { template } = spec;
  const containers = template.spec.containers.map((container) => ({
    ...container,
    env: [...container.env, drainsLong],
  }));
  const patientTemplate = { ...template, spec: { ...template.spec, containers } };
  return { ...object, spec: { ...spec, template: patientTemplate } };
};

export type ShopVersion = 'v1' | 'v2' | 'v3a' | 'v3b';

/** The manifests of a version of the sample service, as the documentation shows them. */
export const exampleManifests = (version: ShopVersion): KubernetesObject[] => {
  const folder = path.join(packageRoot(), 'docs/examples/shop', version, 'k8s');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')))
    .map((document) => document.toJS() as KubernetesObject);
};

/** The same for tests in which no request may fail, several of which share the machine. */
export const shopManifests = (version: ShopVersion): KubernetesObject[] =>
  exampleManifests(version).map(patient);

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
