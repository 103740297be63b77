/** Command lines of the control plane's components, the first argument being the component. */
import { join } from 'node:path';
import type { ClusterCertificates } from './cluster-certificates.ts';
import { SERVICE_NETWORK } from './control-plane.ts';
import type { ControlPlanePorts } from './control-plane.ts';

export interface ComponentContext {
  readonly directory: string;
  readonly auditLogPath: string;
  readonly auditPolicyPath: string;
  readonly address: string;
  readonly server: string;
  readonly ports: ControlPlanePorts;
  readonly certificates: ClusterCertificates;
  readonly kubeconfigs: {
    readonly admin: string;
    readonly controllerManager: string;
    readonly scheduler: string;
  };
}

const LOOPBACK = '127.0.0.1';

export function etcdArgs(context: ComponentContext): readonly string[] {
  const { certificates, ports } = context;
  const clientUrl = `https://${LOOPBACK}:${ports.etcdClient}`;
  const peerUrl = `https://${LOOPBACK}:${ports.etcdPeer}`;
  return [
    'etcd',
    '--name=holdfast',
    `--data-dir=${join(context.directory, 'etcd')}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=holdfast=${peerUrl}`,
    '--client-cert-auth',
    `--trusted-ca-file=${certificates.etcdAuthority.certificatePath}`,
    `--cert-file=${certificates.etcd.certificatePath}`,
    `--key-file=${certificates.etcd.keyPath}`,
    '--peer-client-cert-auth',
    `--peer-trusted-ca-file=${certificates.etcdAuthority.certificatePath}`,
    `--peer-cert-file=${certificates.etcd.certificatePath}`,
    `--peer-key-file=${certificates.etcd.keyPath}`,
    // Survives a killed process, not a power cut; a sandbox need not.
    '--unsafe-no-fsync',
    '--auto-compaction-retention=1',
    '--quota-backend-bytes=2147483648',
    '--log-level=warn',
  ];
}

export function apiServerArgs(context: ComponentContext): readonly string[] {
  const { certificates, ports } = context;
  const authority = certificates.authority.certificatePath;
  return [
    'kube-apiserver',
    `--etcd-servers=https://${LOOPBACK}:${ports.etcdClient}`,
    `--etcd-cafile=${certificates.etcdAuthority.certificatePath}`,
    `--etcd-certfile=${certificates.etcdClient.certificatePath}`,
    `--etcd-keyfile=${certificates.etcdClient.keyPath}`,
    `--bind-address=${context.address}`,
    `--advertise-address=${context.address}`,
    `--secure-port=${ports.apiServer}`,
    // Endpoints of the Service `kubernetes` may not be loopback addresses.
    ...(context.address === LOOPBACK ? ['--endpoint-reconciler-type=none'] : []),
    `--tls-cert-file=${certificates.apiServer.certificatePath}`,
    `--tls-private-key-file=${certificates.apiServer.keyPath}`,
    `--client-ca-file=${authority}`,
    '--anonymous-auth=false',
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${certificates.serviceAccountPublicKeyPath}`,
    `--service-account-signing-key-file=${certificates.serviceAccountKeyPath}`,
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    '--allow-privileged=true',
    `--kubelet-client-certificate=${certificates.apiServerToKubelet.certificatePath}`,
    `--kubelet-client-key=${certificates.apiServerToKubelet.keyPath}`,
    `--kubelet-certificate-authority=${authority}`,
    '--kubelet-preferred-address-types=InternalIP',
    ...aggregationArgs(context),
    ...auditArgs(context),
  ];
}

function aggregationArgs({ certificates }: ComponentContext): readonly string[] {
  return [
    '--enable-aggregator-routing=true',
    `--requestheader-client-ca-file=${certificates.authority.certificatePath}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${certificates.frontProxy.certificatePath}`,
    `--proxy-client-key-file=${certificates.frontProxy.keyPath}`,
  ];
}

function auditArgs(context: ComponentContext): readonly string[] {
  return [
    `--audit-policy-file=${context.auditPolicyPath}`,
    `--audit-log-path=${context.auditLogPath}`,
    '--audit-log-format=json',
    // A request is in the file when the next one starts, so that writes can be counted.
    '--audit-log-mode=blocking',
    // The default of 100 MB would rotate counted entries away under load.
    '--audit-log-maxsize=2048',
  ];
}

export function controllerManagerArgs(context: ComponentContext): readonly string[] {
  const { certificates, kubeconfigs } = context;
  return [
    'kube-controller-manager',
    `--kubeconfig=${kubeconfigs.controllerManager}`,
    `--root-ca-file=${certificates.authority.certificatePath}`,
    `--service-account-private-key-file=${certificates.serviceAccountKeyPath}`,
    `--cluster-signing-cert-file=${certificates.authority.certificatePath}`,
    `--cluster-signing-key-file=${certificates.authority.keyPath}`,
    '--use-service-account-credentials=true',
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    '--enable-hostpath-provisioner=true',
    // The default of 15 s is long for someone who looks on.
    '--horizontal-pod-autoscaler-sync-period=3s',
    '--leader-elect=false',
    '--secure-port=0',
    ...clientRateArgs(),
  ];
}

export function schedulerArgs(context: ComponentContext): readonly string[] {
  return [
    'kube-scheduler',
    `--kubeconfig=${context.kubeconfigs.scheduler}`,
    '--leader-elect=false',
    '--secure-port=0',
    ...clientRateArgs(),
  ];
}

/** The default of 20 requests a second doubles the time until the default ServiceAccount exists. */
function clientRateArgs(): readonly string[] {
  return ['--kube-api-qps=500', '--kube-api-burst=1000'];
}
