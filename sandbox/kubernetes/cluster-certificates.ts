/** The certificates that a control plane starts with. */
import { join } from 'node:path';
import { COMPONENTS_GROUP, certificateFiles, issueCertificates } from './certificates.ts';
import type { CertificateFiles, CertificateRequest } from './certificates.ts';
import { API_SERVICE_ADDRESS } from './control-plane.ts';

export interface ClusterCertificates {
  readonly directory: string;
  readonly authority: CertificateFiles;
  readonly apiServer: CertificateFiles;
  readonly apiServerToKubelet: CertificateFiles;
  readonly frontProxy: CertificateFiles;
  readonly admin: CertificateFiles;
  readonly sandbox: CertificateFiles;
  readonly controllerManager: CertificateFiles;
  readonly scheduler: CertificateFiles;
  /** etcd trusts an authority of its own: a client of the cluster is no client of its store. */
  readonly etcdAuthority: CertificateFiles;
  readonly etcd: CertificateFiles;
  readonly etcdClient: CertificateFiles;
  readonly serviceAccountKeyPath: string;
  readonly serviceAccountPublicKeyPath: string;
}

const LOOPBACK = '127.0.0.1';

export async function issueClusterCertificates(options: {
  readonly kubernetesBinary: string;
  readonly directory: string;
  readonly address: string;
}): Promise<ClusterCertificates> {
  const { kubernetesBinary, directory, address } = options;
  await issueCertificates({
    kubernetesBinary,
    directory,
    authority: 'ca',
    keyPairs: ['service-account'],
    certificates: [apiServerCertificate(address), ...clientCertificates()],
  });
  await issueCertificates({
    kubernetesBinary,
    directory,
    authority: 'etcd-ca',
    certificates: [
      {
        name: 'etcd',
        commonName: 'etcd',
        ipAddresses: [LOOPBACK],
        usages: ['server', 'client'],
      },
      { name: 'etcd-client', commonName: 'kube-apiserver', usages: ['client'] },
    ],
  });
  const files = (name: string): CertificateFiles => certificateFiles(directory, name);
  return {
    directory,
    authority: files('ca'),
    apiServer: files(apiServerCertificate(address).name),
    apiServerToKubelet: files('kube-apiserver-kubelet-client'),
    frontProxy: files('front-proxy-client'),
    admin: files('admin'),
    sandbox: files('sandbox'),
    controllerManager: files('kube-controller-manager'),
    scheduler: files('kube-scheduler'),
    etcdAuthority: files('etcd-ca'),
    etcd: files('etcd'),
    etcdClient: files('etcd-client'),
    serviceAccountKeyPath: join(directory, 'service-account.key'),
    serviceAccountPublicKeyPath: join(directory, 'service-account.pub'),
  };
}

/** Named after the address, so that a sandbox that changes its level gets a fitting one. */
function apiServerCertificate(address: string): CertificateRequest {
  return {
    name: `kube-apiserver-${address}`,
    commonName: 'kube-apiserver',
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ipAddresses: [...new Set([LOOPBACK, address, API_SERVICE_ADDRESS])],
    usages: ['server'],
  };
}

function clientCertificates(): readonly CertificateRequest[] {
  const administrators = 'system:masters';
  const client = (name: string, commonName: string, organizations: string[] = []) =>
    ({ name, commonName, organizations, usages: ['client'] }) as const;
  return [
    client('admin', 'holdfast-admin', [administrators]),
    client('sandbox', 'holdfast-sandbox', [administrators, COMPONENTS_GROUP]),
    client('kube-controller-manager', 'system:kube-controller-manager'),
    client('kube-scheduler', 'system:kube-scheduler'),
    client('kube-apiserver-kubelet-client', 'kube-apiserver-kubelet-client', [administrators]),
    client('front-proxy-client', 'front-proxy-client'),
  ];
}
