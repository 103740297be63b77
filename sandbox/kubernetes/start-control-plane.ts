/** Starts etcd, API server, controller manager and scheduler, or what of them is missing. */
import { join } from 'node:path';
import { reportStep } from '../progress.ts';
import { writeFileAtomically } from '../state/atomic-file.ts';
import { statePaths } from '../state/directory.ts';
import { waitUntil } from '../state/wait-until.ts';
import { createApiRequests } from './api-request.ts';
import type { SendApiRequest } from './api-request.ts';
import { AUDIT_POLICY } from './audit-policy.ts';
import { certificateFiles, issueCertificates } from './certificates.ts';
import { issueClusterCertificates } from './cluster-certificates.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';
import {
  apiServerArgs,
  controllerManagerArgs,
  etcdArgs,
  schedulerArgs,
} from './component-flags.ts';
import type { ComponentContext } from './component-flags.ts';
import { SERVICE_NETWORK } from './control-plane.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { SANDBOX_CONTEXT, writeKubeconfig } from './kubeconfig.ts';

const READY_WITHIN_MS = 120_000;

/**
 * Returns once the API server answers; the controllers are started and take a moment longer. May be
 * repeated: what runs is left alone, what died is started again on the same data.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  return reportStep(
    {
      name: 'control-plane',
      message: 'starting the Kubernetes control plane',
      onProgress: options.onProgress,
    },
    async () => {
      const directory = statePaths(options.stateDirectory).kubernetes;
      const certificates = await issueClusterCertificates({
        kubernetesBinary: options.kubernetesBinary,
        directory: join(directory, 'certificates'),
        address: options.address,
      });
      const context = await writeConfiguration(options, certificates);
      const request = await createApiRequests({
        server: context.server,
        authorityCertificatePath: certificates.authority.certificatePath,
        certificate: certificates.sandbox,
      });
      await startStoreAndApiServer(options, context);
      await waitForApiServer(options, request);
      await startControllers(options, context);
      return describe({
        options,
        context,
        request,
        clusterUid: await readClusterUid(options, request),
      });
    },
  );
}

async function writeConfiguration(
  options: ControlPlaneOptions,
  certificates: ClusterCertificates,
): Promise<ComponentContext> {
  const paths = statePaths(options.stateDirectory);
  const context: ComponentContext = {
    directory: paths.kubernetes,
    auditLogPath: paths.auditLog,
    auditPolicyPath: join(paths.kubernetes, 'audit-policy.json'),
    address: options.address,
    server: `https://${options.address}:${options.ports.apiServer}`,
    ports: options.ports,
    certificates,
    kubeconfigs: {
      admin: join(paths.kubernetes, 'kubeconfig'),
      controllerManager: join(paths.kubernetes, 'kube-controller-manager.kubeconfig'),
      scheduler: join(paths.kubernetes, 'kube-scheduler.kubeconfig'),
    },
  };
  const { kubeconfigs } = context;
  const common = {
    server: context.server,
    authorityCertificatePath: certificates.authority.certificatePath,
  };
  await Promise.all([
    writeFileAtomically(context.auditPolicyPath, JSON.stringify(AUDIT_POLICY, null, 2)),
    writeKubeconfig({
      ...common,
      path: kubeconfigs.admin,
      user: 'holdfast-admin',
      certificate: certificates.admin,
    }),
    writeKubeconfig({
      ...common,
      path: kubeconfigs.controllerManager,
      user: 'system:kube-controller-manager',
      certificate: certificates.controllerManager,
    }),
    writeKubeconfig({
      ...common,
      path: kubeconfigs.scheduler,
      user: 'system:kube-scheduler',
      certificate: certificates.scheduler,
    }),
  ]);
  return context;
}

async function startStoreAndApiServer(
  options: ControlPlaneOptions,
  context: ComponentContext,
): Promise<void> {
  const { processes, kubernetesBinary: command } = options;
  // Those that lost their API server come back to it only after up to 30 s of back-off.
  if (!(await processes.isRunning('kube-apiserver'))) {
    for (const name of ['kube-controller-manager', 'kube-scheduler', 'kwok']) {
      await processes.stop(name);
    }
  }
  // Nothing of theirs is kept after `down`, and etcd recovers from its log after a kill.
  const stopSignal = 'SIGKILL';
  await processes.start({ name: 'etcd', command, args: etcdArgs(context), stopSignal });
  await processes.start({
    name: 'kube-apiserver',
    command,
    args: apiServerArgs(context),
    stopSignal,
  });
}

async function startControllers(
  options: ControlPlaneOptions,
  context: ComponentContext,
): Promise<void> {
  const { processes, kubernetesBinary: command } = options;
  const stopSignal = 'SIGKILL';
  await processes.start({
    name: 'kube-controller-manager',
    command,
    args: controllerManagerArgs(context),
    stopSignal,
  });
  await processes.start({
    name: 'kube-scheduler',
    command,
    args: schedulerArgs(context),
    stopSignal,
  });
}

async function waitForApiServer(
  options: ControlPlaneOptions,
  request: SendApiRequest,
): Promise<void> {
  await waitUntil({
    what: 'the API server to be ready',
    probe: async () => (await request({ method: 'GET', path: '/readyz' })).status === 200,
    processes: options.processes,
    needs: ['kube-apiserver', 'etcd'],
    timeoutMs: READY_WITHIN_MS,
  });
}

/** No pod can be created before the controller manager has made the default ServiceAccount. */
async function waitForControllers(
  options: ControlPlaneOptions,
  request: SendApiRequest,
): Promise<void> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default';
  await waitUntil({
    what: 'the default ServiceAccount',
    probe: async () => (await request({ method: 'GET', path })).status === 200,
    processes: options.processes,
    needs: ['kube-controller-manager', 'kube-apiserver', 'kube-scheduler'],
    timeoutMs: READY_WITHIN_MS,
  });
}

/** The API server makes the namespace itself, soon after it is ready. */
async function readClusterUid(
  options: ControlPlaneOptions,
  request: SendApiRequest,
): Promise<string> {
  const path = '/api/v1/namespaces/kube-system';
  let uid = '';
  await waitUntil({
    what: 'the namespace kube-system',
    probe: async () => {
      const { status, body } = await request({ method: 'GET', path });
      if (status !== 200) return false;
      uid = (body as { readonly metadata: { readonly uid: string } }).metadata.uid;
      return true;
    },
    processes: options.processes,
    needs: ['kube-apiserver'],
    timeoutMs: READY_WITHIN_MS,
  });
  return uid;
}

interface StartedControlPlane {
  readonly options: ControlPlaneOptions;
  readonly context: ComponentContext;
  readonly request: SendApiRequest;
  readonly clusterUid: string;
}

function describe({ options, context, request, clusterUid }: StartedControlPlane): ControlPlane {
  const { authority, directory } = context.certificates;
  return {
    stateDirectory: options.stateDirectory,
    address: context.address,
    server: context.server,
    clusterUid,
    serviceNetwork: SERVICE_NETWORK,
    kubernetesBinary: options.kubernetesBinary,
    authorityCertificatePath: authority.certificatePath,
    authorityKeyPath: authority.keyPath,
    kubeconfigPath: context.kubeconfigs.admin,
    context: SANDBOX_CONTEXT,
    auditLogPath: context.auditLogPath,
    request,
    processes: options.processes,
    controllersReady: async () => waitForControllers(options, request),
    issueCertificate: async (certificate) => {
      await issueCertificates({
        kubernetesBinary: options.kubernetesBinary,
        directory,
        authority: 'ca',
        certificates: [certificate],
      });
      return certificateFiles(directory, certificate.name);
    },
    writeKubeconfig: async (target) =>
      writeKubeconfig({
        ...target,
        server: context.server,
        authorityCertificatePath: authority.certificatePath,
      }),
  };
}
