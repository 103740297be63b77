/** A running control plane, as the layers that build on it see it. */
import type { OnProgress } from '../progress.ts';
import type { ProcessSupervisor } from '../state/processes.ts';
import type { SendApiRequest } from './api-request.ts';
import type { CertificateFiles, CertificateRequest } from './certificates.ts';

/** Services get their addresses from here on both levels. */
export const SERVICE_NETWORK = '10.98.0.0/16';
/** The first address of the service network: `kubernetes.default.svc`. */
export const API_SERVICE_ADDRESS = '10.98.0.1';

export interface ControlPlane {
  readonly stateDirectory: string;
  /** Bound and advertised: loopback on level 1, the node's address on level 2. */
  readonly address: string;
  /** `https://ADDRESS:PORT` */
  readonly server: string;
  /** uid of the namespace kube-system, which names a cluster. */
  readonly clusterUid: string;
  readonly serviceNetwork: string;
  /** The multi-call binary: the first argument, or the name it is called by, chooses the component. */
  readonly kubernetesBinary: string;
  /** Signs every client and serving certificate of the cluster, kubelet's too. */
  readonly authorityCertificatePath: string;
  readonly authorityKeyPath: string;
  /** Kubeconfig of a cluster administrator, for users and for tests. */
  readonly kubeconfigPath: string;
  readonly context: string;
  readonly auditLogPath: string;
  /** Requests as the sandbox itself, which the audit log leaves out. */
  readonly request: SendApiRequest;
  /** Starts daemons whose pid is recorded; `down` stops them all. */
  readonly processes: ProcessSupervisor;
  /** Waits until the controllers do their work: pods can be created. */
  controllersReady(): Promise<void>;
  /** Issues a further certificate, or returns the one of that name that is there. */
  issueCertificate(request: CertificateRequest): Promise<CertificateFiles>;
  /** Writes a kubeconfig with these credentials to `path`; its context is the sandbox's. */
  writeKubeconfig(target: {
    readonly path: string;
    readonly user: string;
    readonly certificate: CertificateFiles;
  }): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly stateDirectory: string;
  readonly kubernetesBinary: string;
  /** `127.0.0.1` on level 1; on level 2 an address that pods reach, already on an interface. */
  readonly address: string;
  readonly ports: ControlPlanePorts;
  readonly processes: ProcessSupervisor;
  readonly onProgress: OnProgress;
}

export interface ControlPlanePorts {
  readonly apiServer: number;
  readonly etcdClient: number;
  readonly etcdPeer: number;
}
