import { mkdirSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { BlobStore } from '../../activities/store/port.ts';
import { callApi, readConnection } from '../e2e/checker/api-reader.ts';
import type { AuditLog } from './audit-log.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** The running servers that releases are tried on. */
export interface Stack {
  temporalAddress: string;
  temporalNamespace: string;
  kubeconfigPath: string;
  context: string;
  auditLog: AuditLog;
  /** Folder for the files of the lanes: environments, logs. */
  directory: string;
  blobsDirectory: string;
  blobs: BlobStore;
  workflowBundlePath: string;
  /** Where HTTP traffic enters; absent where pods are not real. */
  gatewayUrl: string | undefined;
  /** The field `traffic` of an environment in this namespace. */
  trafficOf: (namespace: string) => unknown;
}

/**
 * One worker process and the fault proxy between it and the cluster. Where faults are made,
 * releases of one lane run one after the other, so that a crash hits the one that is meant.
 */
export interface ReleaseLane {
  readonly stack: Stack;
  readonly name: string;
  readonly timeouts: LaneOptions['timeouts'];
  readonly proxy: FaultProxy;
  readonly worker: WorkerProcess;
  readonly client: Client;
  /** One more worker process for the same runs; it ends with the lane. */
  addWorker(): WorkerProcess;
  createNamespace(name: string): Promise<void>;
  close(): Promise<void>;
}

export interface LaneOptions {
  name: string;
  /** Environments that the worker knows; each is the namespace of the same name. */
  environments: readonly string[];
  /** `test` retries soon after a kill; a measurement wants what users have. */
  timeouts: 'standard' | 'test';
  /** False: the worker speaks to the API server itself, and no fault can be made. */
  throughProxy: boolean;
  /** Prometheus of all environments; absent where nothing is analysed. */
  prometheusUrl?: string;
  /** Further settings of the worker, by the names of its environment variables. */
  settings?: Readonly<Record<string, string>>;
}

/** A kubeconfig whose only way to the cluster leads through the proxy. */
const writeKubeconfig = (folder: string, proxyUrl: string): void => {
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'proxy', cluster: { server: proxyUrl } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
    'current-context': 'proxy',
  };
  writeFileSync(path.join(folder, 'kubeconfig'), stringify(kubeconfig), { mode: 0o600 });
};

const writeEnvironments = (stack: Stack, options: LaneOptions, proxyUrl: string): string => {
  const folder = path.join(stack.directory, options.name);
  mkdirSync(folder, { recursive: true });
  writeKubeconfig(folder, proxyUrl);
  const cluster = options.throughProxy
    ? { kubeconfig: 'kubeconfig', context: 'proxy' }
    : { kubeconfig: stack.kubeconfigPath, context: stack.context };
  const metrics =
    options.prometheusUrl === undefined
      ? {}
      : { metrics: { prometheus: { url: options.prometheusUrl } } };
  const environments = Object.fromEntries(
    options.environments.map((namespace) => [
      namespace,
      { ...cluster, namespace, traffic: stack.trafficOf(namespace), ...metrics },
    ]),
  );
  writeFileSync(path.join(folder, 'environments.yaml'), stringify({ environments }));
  return folder;
};

/** Outside of the sandbox, so that it outlives it. */
const compileCache = path.resolve(import.meta.dirname, '../../.holdfast/compile-cache');

const workerSettings = (
  stack: Stack,
  { name, timeouts, settings }: LaneOptions,
  folder: string,
): Record<string, string> => ({
  TEMPORAL_ADDRESS: stack.temporalAddress,
  TEMPORAL_NAMESPACE: stack.temporalNamespace,
  HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
  HOLDFAST_BLOBS: stack.blobsDirectory,
  HOLDFAST_QUEUE_PREFIX: name,
  HOLDFAST_TIMEOUTS: timeouts,
  HOLDFAST_HEALTH_PORT: '0',
  HOLDFAST_WORKFLOW_BUNDLE: stack.workflowBundlePath,
  NODE_COMPILE_CACHE: compileCache,
  ...settings,
});

/** What controllers put into every namespace soon after it is made. */
const furniture = ['serviceaccounts/default', 'configmaps/kube-root-ca.crt'];

/** Until then a comparison of the namespace with itself would find newcomers. */
const untilFurnished = async (read: (path: string) => Promise<unknown>): Promise<void> => {
  for (const path of furniture) {
    for (;;) {
      const found = await read(path).then(
        () => true,
        () => false,
      );
      if (found) break;
      await delay(50);
    }
  }
};

export const createReleaseLane = async (
  stack: Stack,
  options: LaneOptions,
): Promise<ReleaseLane> => {
  const connection = readConnection(stack.kubeconfigPath, stack.context);
  const proxy = await startFaultProxy(connection);
  const folder = writeEnvironments(stack, options, proxy.url);
  const settings = workerSettings(stack, options, folder);
  const workers: WorkerProcess[] = [];
  const addWorker = (): WorkerProcess => {
    const log = workers.length === 0 ? 'worker.log' : `worker-${String(workers.length + 1)}.log`;
    const added = startWorkerProcess(settings, path.join(folder, log));
    workers.push(added);
    return added;
  };
  const worker = addWorker();
  const temporal = await TemporalConnection.connect({ address: stack.temporalAddress });
  const agent = new https.Agent();
  return {
    stack,
    name: options.name,
    timeouts: options.timeouts,
    proxy,
    worker,
    addWorker,
    client: new Client({ connection: temporal, namespace: stack.temporalNamespace }),
    createNamespace: async (name) => {
      const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      const call = (method: 'GET' | 'POST', path: string, given?: unknown): Promise<unknown> =>
        callApi(connection, agent, { method, path, body: given });
      await call('POST', '/api/v1/namespaces', body);
      await untilFurnished((path) => call('GET', `/api/v1/namespaces/${name}/${path}`));
    },
    close: async () => {
      await Promise.all(workers.map((one) => one.stop()));
      await proxy.close();
      await temporal.close();
      agent.destroy();
    },
  };
};
