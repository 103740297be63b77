import { readFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { locateTool } from '../../sandbox/index.ts';
import { certificateFiles, issueCertificates } from '../../sandbox/kubernetes/certificates.ts';
import { callApi, type ApiCall } from './checker/api-reader.ts';
import type { RawObject } from './checker/namespace-snapshot.ts';
import type { Shop } from './shop-under-traffic.ts';

/** The label by which the pods of two versions are told apart. */
const labelKey = 'app.kubernetes.io/name';
const group = 'metrics.k8s.io';
const version = 'v1beta1';
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices';
const apiService = `${version}.${group}`;

/** The resource metrics API of a cluster, saying what a test wants the pods to use. */
export interface MetricsApi {
  /** Memory that all pods of a label use together, in MiB. */
  load(label: string, mebibytes: number): void;
  /** The labels of the pods in each answer that an autoscaler got. */
  readonly answers: readonly (readonly string[])[];
  close(): Promise<void>;
}

/** What pods of the answer use: the load of their label, shared among them. */
const metricsOf = (pods: readonly RawObject[], loads: ReadonlyMap<string, number>): object => {
  const labelOf = ({ metadata }: RawObject): string =>
    (metadata['labels'] as Record<string, string>)[labelKey] ?? '';
  const items = pods.map((pod) => {
    const alike = pods.filter((other) => labelOf(other) === labelOf(pod)).length;
    const kibibytes = Math.round(((loads.get(labelOf(pod)) ?? 0) * 1_024) / alike);
    return {
      metadata: pod.metadata,
      timestamp: new Date().toISOString(),
      window: '1s',
      containers: [{ name: 'shop', usage: { cpu: '1m', memory: `${String(kibibytes)}Ki` } }],
    };
  });
  return { kind: 'PodMetricsList', apiVersion: `${group}/${version}`, metadata: {}, items };
};

const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/${version}`,
  resources: [
    {
      name: 'pods',
      singularName: '',
      namespaced: true,
      kind: 'PodMetrics',
      verbs: ['get', 'list'],
    },
  ],
};

const isRunning = ({ metadata, status }: RawObject): boolean =>
  metadata['deletionTimestamp'] === undefined && (status as { phase?: string }).phase === 'Running';

const podsPath = /^\/apis\/metrics\.k8s\.io\/v1beta1\/namespaces\/(?<namespace>[^/]+)\/pods$/;

/** Signed by the authority of the sandbox's cluster. */
const certificateFor = async (shop: Shop, dnsName: string): Promise<https.ServerOptions> => {
  const { path: kubernetesBinary } = await locateTool('kubernetes', {
    onProgress: () => undefined,
  });
  const directory = path.join(path.dirname(shop.stack.kubeconfigPath), 'certificates');
  const name = `metrics-${shop.namespace}`;
  await issueCertificates({
    kubernetesBinary,
    directory,
    authority: 'ca',
    certificates: [{ name, commonName: dnsName, dnsNames: [dnsName], usages: ['server'] }],
  });
  const { certificatePath, keyPath } = certificateFiles(directory, name);
  return { cert: await readFile(certificatePath), key: await readFile(keyPath) };
};

interface Served {
  server: https.Server;
  answers: string[][];
}

const serve = async (
  shop: Shop,
  options: https.ServerOptions,
  loads: ReadonlyMap<string, number>,
): Promise<Served> => {
  const answers: string[][] = [];
  const answerTo = async (url: URL): Promise<object | undefined> => {
    if (url.pathname === `/apis/${group}/${version}`) return resources;
    const namespace = podsPath.exec(url.pathname)?.groups?.['namespace'];
    if (namespace === undefined) return undefined;
    const pods = await shop.list(`/api/v1/namespaces/${namespace}/pods${url.search}`);
    const running = pods.filter(isRunning);
    const labels = running.map(
      ({ metadata }) => (metadata['labels'] as Record<string, string>)[labelKey] ?? '',
    );
    if (namespace === shop.namespace) answers.push(labels);
    return metricsOf(running, loads);
  };
  const server = https.createServer(options, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://metrics');
    answerTo(url).then(
      (answer) => {
        response.writeHead(answer === undefined ? 404 : 200, {
          'content-type': 'application/json',
        });
        response.end(JSON.stringify(answer ?? { kind: 'Status', status: 'Failure', code: 404 }));
      },
      () => response.writeHead(500).end(),
    );
  });
  // The cluster's own address: no endpoint may be on the loopback network.
  server.listen(0, shop.reader.connection.server.hostname);
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, answers };
};

type Call = (call: ApiCall) => Promise<unknown>;

/** A Service without pods behind it: its one endpoint is this process. */
const publish = async (call: Call, namespace: string, server: https.Server): Promise<void> => {
  const { address, port } = server.address() as AddressInfo;
  await call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  });
  await call({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/services`,
    body: { metadata: { name: 'metrics' }, spec: { ports: [{ name: 'https', port: 443 }] } },
  });
  await call({
    method: 'POST',
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    body: {
      metadata: { name: 'metrics', labels: { 'kubernetes.io/service-name': 'metrics' } },
      addressType: 'IPv4',
      ports: [{ name: 'https', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    },
  });
};

const register = async (call: Call, namespace: string, authority: Buffer): Promise<void> => {
  await call({
    method: 'POST',
    path: apiServices,
    body: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiService },
      spec: {
        ...{ group, version, groupPriorityMinimum: 100, versionPriority: 100 },
        service: { name: 'metrics', namespace, port: 443 },
        caBundle: authority.toString('base64'),
      },
    },
  });
  const isAvailable = async (): Promise<boolean> => {
    const found = await call({ method: 'GET', path: `${apiServices}/${apiService}` });
    const { conditions = [] } = (found as { status?: { conditions?: object[] } }).status ?? {};
    return JSON.stringify(conditions).includes('"status":"True"');
  };
  while (!(await isAvailable())) await delay(100);
};

/** Serves `metrics.k8s.io` to the cluster of the shop until it is closed. */
export const startMetricsApi = async (shop: Shop): Promise<MetricsApi> => {
  const { connection } = shop.reader;
  const agent = new https.Agent();
  const call: Call = (request) => callApi(connection, agent, request);
  const namespace = `${shop.namespace}-metrics`;
  const loads = new Map<string, number>();
  const certificate = await certificateFor(shop, `metrics.${namespace}.svc`);
  const { server, answers } = await serve(shop, certificate, loads);
  const withdraw = (): Promise<unknown> =>
    call({ method: 'DELETE', path: `${apiServices}/${apiService}` });
  // A run that was killed may have left its registration behind.
  await withdraw().catch(() => undefined);
  await publish(call, namespace, server);
  await register(call, namespace, connection.ca);
  return {
    load: (label, mebibytes) => loads.set(label, mebibytes),
    answers,
    close: async () => {
      await withdraw();
      agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
};
