/** Where the node keeps its files, and the names by which it is known on the machine. */
import { join } from 'node:path';
import { SandboxError } from '../sandbox-error.ts';

/**
 * There is one node per machine: bridge, addresses and packet rules belong to
 * the machine, not to a checkout. Socket paths are limited to 107 bytes, so
 * sockets live here and not below the state directory.
 */
export const MACHINE_DIRECTORY = '/run/holdfast';
export const CONTAINERD_SOCKET = `${MACHINE_DIRECTORY}/containerd.sock`;
export const RUNC_STATE = `${MACHINE_DIRECTORY}/runc`;
/** Which pod has which address. */
export const ADDRESS_LEASES = `${MACHINE_DIRECTORY}/addresses`;

/** Pods, their host and the API server reach each other on these private networks. */
export const NODE_ADDRESS = '10.99.0.1';
export const POD_NETWORK = '10.99.1.0/24';
export const BRIDGE = 'holdfast0';
/** Our own packet rules; kube-proxy's are in tables of its name. */
export const PACKET_TABLE = 'holdfast';
export const CNI_NETWORK = 'holdfast';
export const NODE_NAME = 'holdfast-node';

/** What kubelet and CNI use besides, whatever their settings say, and what for. */
export const CNI_CACHE = '/var/lib/cni';
export const CONTAINER_LOG_LINKS = '/var/log/containers';
export const FIXED_DIRECTORIES: Readonly<Record<string, string>> = {
  '/var/lib/kubelet': 'kubelet keeps the sockets of plugins there',
  [CNI_CACHE]: 'the network plugins note there what they have connected',
  [CONTAINER_LOG_LINKS]: 'kubelet links the logs of containers there',
};

/** The files of a node below the state directory of its sandbox. */
export interface NodePaths {
  readonly directory: string;
  readonly containerdConfig: string;
  readonly containerdRoot: string;
  readonly containerdState: string;
  readonly cniConfigDirectory: string;
  readonly kubeletConfig: string;
  readonly kubeletKubeconfig: string;
  readonly kubeletRoot: string;
  readonly kubeProxyConfig: string;
  readonly kubeProxyKubeconfig: string;
  readonly podLogs: string;
  readonly resolvConf: string;
}

/** The longest socket path that Linux accepts, without its closing zero byte. */
const SOCKET_PATH_BYTES = 107;

export function nodePaths(stateDirectory: string): NodePaths {
  const directory = join(stateDirectory, 'node');
  const kubeletRoot = join(directory, 'kubelet');
  const longestSocket = join(kubeletRoot, 'pod-resources', 'kubelet.sock');
  if (Buffer.byteLength(longestSocket) > SOCKET_PATH_BYTES) {
    throw new SandboxError({
      code: 'SANDBOX_STATE_UNUSABLE',
      message: `The path of the state directory ${stateDirectory} is too long for the sockets of the node. Nothing was started.`,
      next: 'Set HOLDFAST_STATE_DIR to a directory with a shorter path.',
    });
  }
  return {
    directory,
    containerdConfig: join(directory, 'containerd.toml'),
    containerdRoot: join(directory, 'containerd'),
    containerdState: `${MACHINE_DIRECTORY}/containerd`,
    cniConfigDirectory: join(directory, 'cni'),
    kubeletConfig: join(directory, 'kubelet.json'),
    kubeletKubeconfig: join(directory, 'kubelet.kubeconfig'),
    kubeletRoot,
    kubeProxyConfig: join(directory, 'kube-proxy.json'),
    kubeProxyKubeconfig: join(directory, 'kube-proxy.kubeconfig'),
    podLogs: join(directory, 'pod-logs'),
    resolvConf: join(directory, 'resolv.conf'),
  };
}
