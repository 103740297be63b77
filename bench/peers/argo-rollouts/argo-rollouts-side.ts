import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import { routeToShop } from '../../../test/e2e/shop-on-real-pods.ts';
import type { ClusterCalls } from '../../progressive/cluster-calls.ts';
import { failedShareQuery } from '../../progressive/exported-metrics.ts';
import type { SideOptions } from '../../progressive/holdfast-side.ts';
import { intervalMs, mostFailed, shopHost, shopObjects } from '../../progressive/side.ts';
import type { ReleasedShop, Side } from '../../progressive/side.ts';
import { buildController } from './build-controller.ts';
import { rolloutDefinitions, traefikDefinitions } from './definitions.ts';
import { startController, startRouter } from './processes.ts';
import { createRollout, type RolloutFile } from './rollout.ts';

const definitions = 'customresourcedefinitions';

const plurals: Readonly<Record<string, string>> = {
  AnalysisTemplate: 'analysistemplates',
  ConfigMap: 'configmaps',
  IngressRoute: 'ingressroutes',
  Namespace: 'namespaces',
  PodDisruptionBudget: 'poddisruptionbudgets',
  Rollout: 'rollouts',
  Secret: 'secrets',
  Service: 'services',
  TraefikService: 'traefikservices',
};

const pluralOf = (kind: string): string => {
  const plural = plurals[kind];
  if (plural === undefined) throw new Error(`the bench does not apply a ${kind}`);
  return plural;
};

const isEstablished = async (cluster: ClusterCalls, name: string): Promise<boolean> => {
  const found = (await cluster.get(`/apis/apiextensions.k8s.io/v1/${definitions}/${name}`)) as {
    status?: { conditions?: { type: string; status: string }[] };
  };
  return (found.status?.conditions ?? []).some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
};

const teachKinds = async (cluster: ClusterCalls): Promise<void> => {
  for (const definition of [...(await rolloutDefinitions()), ...traefikDefinitions()]) {
    await cluster.apply(definition, { plural: definitions });
    while (!(await isEstablished(cluster, definition.metadata.name))) continue;
  }
};

const namespaceOf = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
});

/** The committed configuration with the values of this run. */
const objectsOf = (
  file: RolloutFile,
  options: SideOptions,
  namespace: string,
): KubernetesObject[] => {
  const values: Record<string, string> = {
    $HOST: shopHost(namespace),
    $INTERVAL: `${String(intervalMs / 1_000)}s`,
    $MOST_FAILED: String(mostFailed),
    $PROMETHEUS: options.prometheusUrl,
    $QUERY: JSON.stringify(failedShareQuery(namespace)),
  };
  const text = readFileSync(path.join(import.meta.dirname, `${file}.yaml`), 'utf8');
  const filled = text.replaceAll(/\$[A-Z_]+/g, (name) => values[name] ?? name);
  return parseAllDocuments(filled).map((document) => document.toJS() as KubernetesObject);
};

/** What the Deployment says of pods is what the Rollout says of them. */
const withPods = (object: KubernetesObject, deployment: KubernetesObject): KubernetesObject => {
  if (object.kind !== 'Rollout') return object;
  const { replicas, selector, template } = deployment['spec'] as Record<string, unknown>;
  return { ...object, spec: { ...(object['spec'] as object), replicas, selector, template } };
};

const createShop = async (
  file: RolloutFile,
  options: SideOptions,
  { namespace, routerUrl }: { namespace: string; routerUrl: string },
): Promise<ReleasedShop> => {
  const { cluster, stack } = options;
  await cluster.apply(namespaceOf(namespace), { plural: 'namespaces' });
  const shop = shopObjects('1');
  const deployment = shop.find(({ kind }) => kind === 'Deployment');
  if (deployment === undefined) throw new Error('the sample service has no Deployment');
  const shared = shop.filter(({ kind }) => kind !== 'Deployment' && kind !== 'Service');
  const own = objectsOf(file, options, namespace);
  for (const object of [...shared, ...own.map((one) => withPods(one, deployment))]) {
    await cluster.apply(object, { plural: pluralOf(object.kind), namespace });
  }
  if (file === 'blue-green') await routeToShop(stack, namespace);
  const rollout = createRollout(cluster, { namespace, file });
  await rollout.settle('1');
  return {
    namespace,
    entry: {
      url: file === 'canary' ? routerUrl : (stack.gatewayUrl ?? ''),
      host: shopHost(namespace),
    },
    ...rollout,
  };
};

/** Argo Rollouts with its own Traefik integration, as the files beside this one configure it. */
export const createArgoRolloutsSide = async (options: SideOptions): Promise<Side> => {
  const { stack, cluster, namespaces } = options;
  const binary = await buildController(({ message }) => {
    process.stderr.write(`${message}\n`);
  });
  await teachKinds(cluster);
  await cluster.apply(namespaceOf('argo-rollouts'), { plural: 'namespaces' });
  const router = await startRouter(stack);
  const controller = await startController(stack, binary);
  const close = async (): Promise<void> => {
    await controller.stop();
    await router.stop();
  };
  try {
    const place = { routerUrl: router.url };
    return {
      name: 'Argo Rollouts v1.10.1',
      canary: await createShop('canary', options, { ...place, namespace: namespaces.canary }),
      blueGreen: await createShop('blue-green', options, {
        ...place,
        namespace: namespaces.blueGreen,
      }),
      crash: () => {
        controller.crash();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
