/** Brings up the node of the cluster on this machine: containerd, kubelet and kube-proxy. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import { COMPONENTS_GROUP } from '../kubernetes/certificates.ts';
import { SandboxError } from '../sandbox-error.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import { waitUntil } from '../state/wait-until.ts';
import type { ProcessSpecification } from '../state/process-record.ts';
import { cniSettings, containerdSettings } from './containerd-settings.ts';
import { kubeProxySettings, kubeletSettings } from './kubelet-settings.ts';
import { keepLevelTwo } from './level-two-lock.ts';
import { cniDirectory } from './machine-facts.ts';
import { CONTAINERD_SOCKET, NODE_ADDRESS, NODE_NAME, nodePaths } from './node-layout.ts';
import type { NodePaths } from './node-layout.ts';
import { addPacketRules } from './packet-rules.ts';

export const CONTAINERD = 'containerd';
export const KUBELET = 'kubelet';
export const KUBE_PROXY = 'kube-proxy';

const CONTAINERD_WITHIN_MS = 30_000;
const NODE_READY_WITHIN_MS = 120_000;

/** The sandbox that a daemon of this machine belongs to. */
type Machine = Pick<ControlPlane, 'stateDirectory' | 'processes'>;

/** containerd answers on its socket; images can be imported. */
export async function startContainerd(machine: Machine, pauseImage: string): Promise<void> {
  const paths = nodePaths(machine.stateDirectory);
  const plugins = cniDirectory();
  if (plugins === undefined) throw notPrepared();
  await writeFileAtomically(
    paths.containerdConfig,
    containerdSettings({ paths, pauseImage, cniPlugins: plugins }),
  );
  await writeJson(join(paths.cniConfigDirectory, '10-holdfast.conflist'), cniSettings());
  await startDaemon(machine, {
    name: CONTAINERD,
    command: 'containerd',
    args: ['--config', paths.containerdConfig, '--log-level', 'warn'],
    // The packaged containerd finds its shim and runc on the path.
    environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  await waitUntil({
    what: 'containerd to answer',
    probe: async () => accepts(CONTAINERD_SOCKET),
    processes: machine.processes,
    needs: [CONTAINERD],
    timeoutMs: CONTAINERD_WITHIN_MS,
  });
}

/** kubelet and kube-proxy run; the node becomes ready a little later. */
export async function startAgents(cluster: ControlPlane): Promise<void> {
  const paths = nodePaths(cluster.stateDirectory);
  await Promise.all([
    writeKubeletFiles(cluster, paths),
    writeKubeProxyFiles(cluster, paths),
    addPacketRules(),
  ]);
  await startDaemon(cluster, {
    name: KUBELET,
    command: cluster.kubernetesBinary,
    args: [
      'kubelet',
      `--config=${paths.kubeletConfig}`,
      `--kubeconfig=${paths.kubeletKubeconfig}`,
      `--root-dir=${paths.kubeletRoot}`,
      `--hostname-override=${NODE_NAME}`,
      `--node-ip=${NODE_ADDRESS}`,
    ],
  });
  await startDaemon(cluster, {
    name: KUBE_PROXY,
    command: cluster.kubernetesBinary,
    args: ['kube-proxy', `--config=${paths.kubeProxyConfig}`],
  });
}

/** Waits until the control plane takes the node for ready. */
export async function nodeReady(cluster: ControlPlane): Promise<void> {
  await waitUntil({
    what: 'the node to become ready',
    probe: async () => {
      const path = `/api/v1/nodes/${NODE_NAME}`;
      const { status, body } = await cluster.request({ method: 'GET', path });
      return status === 200 && isReady(body as NodeObject);
    },
    processes: cluster.processes,
    needs: [CONTAINERD, KUBELET, KUBE_PROXY],
    timeoutMs: NODE_READY_WITHIN_MS,
  });
}

interface NodeObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

function isReady(node: NodeObject): boolean {
  return (node.status?.conditions ?? []).some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  );
}

async function writeKubeletFiles(cluster: ControlPlane, paths: NodePaths): Promise<void> {
  const [client, serving] = await Promise.all([
    cluster.issueCertificate({
      name: 'kubelet-client',
      commonName: `system:node:${NODE_NAME}`,
      organizations: ['system:nodes', COMPONENTS_GROUP],
      usages: ['client'],
    }),
    cluster.issueCertificate({
      name: 'kubelet-serving',
      commonName: `system:node:${NODE_NAME}`,
      dnsNames: [NODE_NAME],
      ipAddresses: [NODE_ADDRESS],
      usages: ['server'],
    }),
  ]);
  await Promise.all([
    mkdir(paths.kubeletRoot, { recursive: true }),
    mkdir(paths.podLogs, { recursive: true }),
    writeFileAtomically(paths.resolvConf, ''),
    cluster.writeKubeconfig({
      path: paths.kubeletKubeconfig,
      user: KUBELET,
      certificate: client,
    }),
    writeJson(
      paths.kubeletConfig,
      kubeletSettings({
        paths,
        authorityCertificatePath: cluster.authorityCertificatePath,
        serving,
        serviceNetwork: cluster.serviceNetwork,
      }),
    ),
  ]);
}

async function writeKubeProxyFiles(cluster: ControlPlane, paths: NodePaths): Promise<void> {
  const certificate = await cluster.issueCertificate({
    name: KUBE_PROXY,
    commonName: 'system:kube-proxy',
    organizations: [COMPONENTS_GROUP],
    usages: ['client'],
  });
  await Promise.all([
    cluster.writeKubeconfig({ path: paths.kubeProxyKubeconfig, user: KUBE_PROXY, certificate }),
    writeJson(paths.kubeProxyConfig, kubeProxySettings(paths)),
  ]);
}

/** Starts the daemon; as long as it lives, the machine's node is held by this sandbox. */
async function startDaemon(
  { processes, stateDirectory }: Machine,
  specification: ProcessSpecification,
): Promise<void> {
  const { identity } = await processes.start(specification);
  if (identity !== undefined) await keepLevelTwo(stateDirectory, [identity]);
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

async function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

function notPrepared(): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_START_FAILED',
    message: 'The programs of the node are not installed on this machine. Nothing was started.',
    next: 'Run `holdfast sandbox doctor`.',
  });
}
