/** The settings of the kubelet and of kube-proxy, as their configuration files hold them. */
import { CONTAINERD_SOCKET, NODE_ADDRESS, NODE_NAME, POD_NETWORK } from './node-layout.ts';
import type { CertificateFiles } from '../kubernetes/certificates.ts';
import type { NodePaths } from './node-layout.ts';

export interface KubeletSettingsInput {
  readonly paths: NodePaths;
  readonly authorityCertificatePath: string;
  readonly serving: CertificateFiles;
  readonly serviceNetwork: string;
}

export function kubeletSettings(input: KubeletSettingsInput): object {
  const { paths } = input;
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    healthzPort: 0,
    readOnlyPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: input.authorityCertificatePath },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: input.serving.certificatePath,
    tlsPrivateKeyFile: input.serving.keyPath,
    rotateCertificates: false,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    // containerd 1.6 cannot report its cgroup driver; machines with cgroup v1 are still common.
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    // A process without CAP_SYS_RESOURCE may not lower its OOM score.
    oomScoreAdj: 0,
    makeIPTablesUtilChains: false,
    clusterDNS: [clusterDnsAddress(input.serviceNetwork)],
    clusterDomain: 'cluster.local',
    resolvConf: paths.resolvConf,
    podLogsDir: paths.podLogs,
    volumePluginDir: `${paths.directory}/volume-plugins`,
    // Disks of development machines are often nearly full: pods must not vanish for that.
    evictionHard: {
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'memory.available': '100Mi',
    },
    // Images are imported, not pulled: one that is removed could not be had again.
    imageGCHighThresholdPercent: 100,
    // An imported image whose id was once pulled would be refused with ErrImageNeverPull.
    imagePullCredentialsVerificationPolicy: 'NeverVerify',
    serializeImagePulls: false,
    // The kernel settings that this would write are among the host changes that are asked for.
    protectKernelDefaults: true,
  };
}

/** The tenth address of the service network, by convention. */
function clusterDnsAddress(serviceNetwork: string): string {
  return serviceNetwork.replace(/\d+\/\d+$/, '10');
}

export function kubeProxySettings(paths: NodePaths): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: paths.kubeProxyKubeconfig },
    hostnameOverride: NODE_NAME,
    bindAddress: NODE_ADDRESS,
    healthzBindAddress: `${NODE_ADDRESS}:10256`,
    metricsBindAddress: `${NODE_ADDRESS}:10249`,
    clusterCIDR: POD_NETWORK,
    // Zero leaves the machine's connection tracking limits as they are.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: '0s',
      tcpCloseWaitTimeout: '0s',
      udpTimeout: '0s',
      udpStreamTimeout: '0s',
    },
    // How soon a change of endpoints reaches the packet rules.
    nftables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
    oomScoreAdj: 0,
  };
}
