/** Level 1's nodes: real Kubernetes objects, with kwok in the place of kubelet and containers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportStep } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import { statePaths } from '../state/directory.ts';
import { waitUntil } from '../state/wait-until.ts';
import { COMPONENTS_GROUP } from './certificates.ts';
import type { CertificateFiles } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import { NODE_STAGES } from './node-stages.ts';
import { POD_STAGES } from './pod-stages.ts';

export interface KwokOptions {
  readonly kwokBinary: string;
  /** Where kwok serves the logs of its pods, as a kubelet would. */
  readonly port: number;
  readonly onProgress: OnProgress;
}

/** Enough for rules that keep a service's pods on different nodes. */
const NODE_NAMES = ['kwok-node-1', 'kwok-node-2', 'kwok-node-3'];
const POD_NETWORK = '10.97.0.0/16';
const READY_WITHIN_MS = 60_000;
const HTTP_CREATED = 201;
const HTTP_CONFLICT = 409;

export async function startKwokNodes(cluster: ControlPlane, options: KwokOptions): Promise<void> {
  await reportStep(
    { name: 'nodes', message: 'starting nodes without containers', onProgress: options.onProgress },
    async () => {
      if (!(await cluster.processes.isRunning('kwok'))) await releaseNodes(cluster);
      await startKwok(cluster, options);
      for (const name of NODE_NAMES) await createNode(cluster, name);
      await waitUntil({
        what: 'the nodes to be ready',
        probe: async () => (await readyNodeCount(cluster)) >= NODE_NAMES.length,
        processes: cluster.processes,
        needs: ['kwok', 'kube-apiserver'],
        timeoutMs: READY_WITHIN_MS,
      });
    },
  );
}

/** The leases of a kwok that has died would keep its successor from the nodes until they expire. */
async function releaseNodes(cluster: ControlPlane): Promise<void> {
  for (const name of NODE_NAMES) {
    const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${name}`;
    await cluster.request({ method: 'DELETE', path });
  }
}

async function startKwok(cluster: ControlPlane, options: KwokOptions): Promise<void> {
  const directory = statePaths(cluster.stateDirectory).kubernetes;
  const client = await cluster.issueCertificate({
    name: 'kwok',
    commonName: 'holdfast-kwok',
    organizations: ['system:masters', COMPONENTS_GROUP],
    usages: ['client'],
  });
  const serving = await cluster.issueCertificate({
    name: 'kwok-serving',
    commonName: 'kwok',
    ipAddresses: [cluster.address],
    usages: ['server'],
  });
  const kubeconfig = join(directory, 'kwok.kubeconfig');
  await cluster.writeKubeconfig({ path: kubeconfig, user: 'holdfast-kwok', certificate: client });
  const configuration = join(directory, 'kwok.yaml');
  await writeFileAtomically(configuration, await kwokConfiguration(directory));
  await cluster.processes.start({
    name: 'kwok',
    command: options.kwokBinary,
    args: kwokArgs({ cluster, options, kubeconfig, configuration, serving }),
    stopSignal: 'SIGKILL',
  });
}

function kwokArgs(parts: {
  readonly cluster: ControlPlane;
  readonly options: KwokOptions;
  readonly kubeconfig: string;
  readonly configuration: string;
  readonly serving: CertificateFiles;
}): readonly string[] {
  const { cluster, options, serving } = parts;
  return [
    `--kubeconfig=${parts.kubeconfig}`,
    `--config=${parts.configuration}`,
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    `--cidr=${POD_NETWORK}`,
    `--node-ip=${cluster.address}`,
    `--node-port=${options.port}`,
    `--server-address=${cluster.address}:${options.port}`,
    `--tls-cert-file=${serving.certificatePath}`,
    `--tls-private-key-file=${serving.keyPath}`,
    '--node-lease-duration-seconds=40',
    // It would log every status it writes.
    '--v=WARN',
  ];
}

/** One YAML document per object; JSON is YAML. */
async function kwokConfiguration(directory: string): Promise<string> {
  const logPath = join(directory, 'kwok-pod.log');
  // The format in which a container runtime writes logs, which is what kwok reads.
  await writeFile(logPath, '2020-01-01T00:00:00.000000000Z stdout F kwok runs no container\n');
  const logs = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterLogs',
    metadata: { name: 'every-pod' },
    spec: { logs: [{ logsFile: logPath }] },
  };
  return [...NODE_STAGES, ...POD_STAGES, logs]
    .map((object) => JSON.stringify(object))
    .join('\n---\n');
}

async function createNode(cluster: ControlPlane, name: string): Promise<void> {
  const answer = await cluster.request({
    method: 'POST',
    path: '/api/v1/nodes',
    body: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        annotations: { 'kwok.x-k8s.io/node': 'fake' },
        labels: {
          'kubernetes.io/hostname': name,
          'kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          type: 'kwok',
        },
      },
    },
  });
  if (answer.status === HTTP_CREATED || answer.status === HTTP_CONFLICT) return;
  throw new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: `The node ${name} could not be created: ${JSON.stringify(answer.body)}`,
    next: 'Run `holdfast sandbox down`, then `holdfast sandbox up`.',
  });
}

interface NodeList {
  readonly items: readonly {
    readonly spec?: { readonly taints?: readonly unknown[] };
    readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
  }[];
}

/** Ready, and no longer tainted as not ready: only then does the scheduler use it. */
async function readyNodeCount(cluster: ControlPlane): Promise<number> {
  const { body } = await cluster.request({ method: 'GET', path: '/api/v1/nodes' });
  return (body as NodeList).items.filter(
    (node) =>
      (node.spec?.taints ?? []).length === 0 &&
      node.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ===
        true,
  ).length;
}
