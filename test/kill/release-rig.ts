import { mkdirSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { Client, Connection as TemporalConnection } from '@temporalio/client';
import { stringify } from 'yaml';
import type { BlobStore } from '../../activities/store/port.ts';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { callApi, readConnection, type Connection } from '../e2e/checker/api-reader.ts';
import { readWrites, type AuditedWrite } from './audit-log.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** The running servers that releases are tried on. */
export interface Stack {
  temporalAddress: string;
  temporalNamespace: string;
  kubeconfigPath: string;
  context: string;
  auditLogPath: string;
  /** Folder for the files of the rigs: environments, logs. */
  directory: string;
  blobsDirectory: string;
  blobs: BlobStore;
  workflowBundlePath: string;
  /** Where HTTP traffic enters; absent where pods are not real. */
  gatewayUrl: string | undefined;
  /** The field `traffic` of an environment in this namespace. */
  trafficOf: (namespace: string) => unknown;
}

export interface ReleaseRequest {
  release: string;
  objects: KubernetesObject[];
  /** Fields of the input beyond the manifests. */
  input?: Record<string, unknown>;
}

/** One namespace, one worker process and one fault proxy between the two. */
export interface ReleaseRig {
  readonly namespace: string;
  readonly proxy: FaultProxy;
  readonly worker: WorkerProcess;
  readonly client: Client;
  workflowId(release: string): string;
  start(request: ReleaseRequest): Promise<void>;
  result(release: string): Promise<DeployServiceResult>;
  release(request: ReleaseRequest): Promise<DeployServiceResult>;
  writes(): Promise<AuditedWrite[]>;
  close(): Promise<void>;
}

const service = 'shop';

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

const writeEnvironment = (stack: Stack, name: string, proxyUrl: string | undefined): string => {
  const folder = path.join(stack.directory, name);
  mkdirSync(folder, { recursive: true });
  if (proxyUrl !== undefined) writeKubeconfig(folder, proxyUrl);
  const cluster =
    proxyUrl === undefined
      ? { kubeconfig: stack.kubeconfigPath, context: stack.context }
      : { kubeconfig: 'kubeconfig', context: 'proxy' };
  const environment = { ...cluster, namespace: name, traffic: stack.trafficOf(name) };
  const file = { environments: { [name]: environment } };
  writeFileSync(path.join(folder, 'environments.yaml'), stringify(file));
  return folder;
};

const createNamespace = async (connection: Connection, name: string): Promise<void> => {
  const agent = new https.Agent();
  const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
  await callApi(connection, agent, { method: 'POST', path: '/api/v1/namespaces', body });
  agent.destroy();
};

export interface RigOptions {
  /** `test` retries soon after a kill; a measurement wants what users have. */
  timeouts: 'standard' | 'test';
  /** False: the worker speaks to the API server itself, and no fault can be made. */
  throughProxy: boolean;
}

const forFaults: RigOptions = { timeouts: 'test', throughProxy: true };

interface WorkerPlace {
  stack: Stack;
  name: string;
  folder: string;
}

const workerSettings = (
  { stack, name, folder }: WorkerPlace,
  timeouts: RigOptions['timeouts'],
): Record<string, string> => ({
  TEMPORAL_ADDRESS: stack.temporalAddress,
  TEMPORAL_NAMESPACE: stack.temporalNamespace,
  HOLDFAST_ENVIRONMENTS: path.join(folder, 'environments.yaml'),
  HOLDFAST_BLOBS: stack.blobsDirectory,
  HOLDFAST_QUEUE_PREFIX: name,
  HOLDFAST_TIMEOUTS: timeouts,
  HOLDFAST_HEALTH_PORT: '0',
  HOLDFAST_WORKFLOW_BUNDLE: stack.workflowBundlePath,
  NODE_COMPILE_CACHE: path.join(stack.directory, 'compile-cache'),
});

const inputOf = async (stack: Stack, name: string, request: ReleaseRequest): Promise<object> => {
  const bytes = new TextEncoder().encode(JSON.stringify({ objects: request.objects }));
  return {
    service,
    environment: name,
    release: request.release,
    manifestsDigest: await stack.blobs.put(bytes),
    stableMs: 0,
    deadlineMs: 120_000,
    requestedBy: { actor: 'kill-matrix', reason: 'fault injection' },
    ...request.input,
  };
};

export const createReleaseRig = async (
  stack: Stack,
  name: string,
  options: RigOptions = forFaults,
): Promise<ReleaseRig> => {
  const connection = readConnection(stack.kubeconfigPath, stack.context);
  await createNamespace(connection, name);
  const proxy = await startFaultProxy(connection);
  const folder = writeEnvironment(stack, name, options.throughProxy ? proxy.url : undefined);
  const worker = startWorkerProcess(
    workerSettings({ stack, name, folder }, options.timeouts),
    path.join(folder, 'worker.log'),
  );
  const temporal = await TemporalConnection.connect({ address: stack.temporalAddress });
  const client = new Client({ connection: temporal, namespace: stack.temporalNamespace });

  const workflowId = (release: string): string => `deploy:${name}:${service}:${release}`;
  const start = async (request: ReleaseRequest): Promise<void> => {
    await client.workflow.start('deployService', {
      workflowId: workflowId(request.release),
      taskQueue: `${name}-orchestration`,
      workflowTaskTimeout: '3s',
      args: [await inputOf(stack, name, request)],
    });
  };
  const result = async (release: string): Promise<DeployServiceResult> =>
    (await client.workflow.getHandle(workflowId(release)).result()) as DeployServiceResult;

  return {
    namespace: name,
    proxy,
    worker,
    client,
    workflowId,
    start,
    result,
    release: async (request) => {
      await start(request);
      return result(request.release);
    },
    writes: () => readWrites(stack.auditLogPath, name),
    close: async () => {
      await worker.stop();
      await proxy.close();
      await temporal.close();
    },
  };
};
