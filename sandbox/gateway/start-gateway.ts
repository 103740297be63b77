/** Runs Traefik beside the cluster as its Gateway API implementation. */
import { join } from 'node:path';
import { COMPONENTS_GROUP } from '../kubernetes/certificates.ts';
import type { ControlPlane } from '../kubernetes/control-plane.ts';
import { readFileIfPresent, writeFileAtomically } from '../state/atomic-file.ts';
import { chooseFreePorts, isPortFree } from '../state/ports.ts';
import { waitUntil } from '../state/wait-until.ts';
import { applyObject, objectPath } from './apply-object.ts';
import { applyGatewayDefinitions } from './gateway-definitions.ts';
import {
  GATEWAY_NAME,
  GATEWAY_NAMESPACE,
  GATEWAY_USER,
  gatewayAccess,
  gatewayObjects,
  serviceRoute,
} from './gateway-objects.ts';
import type { ClusterObject, ServiceRoute } from './gateway-objects.ts';

export const GATEWAY_PROCESS = 'traefik';

const LOOPBACK = '127.0.0.1';
const READY_WITHIN_MS = 60_000;

export interface GatewayOptions {
  readonly traefikBinary: string;
  /** Folder of the Gateway API definitions (`config/crd/standard` of the module). */
  readonly definitionsDirectory: string;
}

export interface RunningGateway {
  /** Where requests enter; the Host header chooses the service. */
  readonly url: string;
}

/** May be repeated: a gateway that runs keeps its port. */
export async function startGateway(
  cluster: ControlPlane,
  options: GatewayOptions,
): Promise<RunningGateway> {
  const kubeconfigPath = join(cluster.stateDirectory, 'gateway', 'kubeconfig');
  const [ports] = await Promise.all([
    portsOf(cluster, portsPath(cluster.stateDirectory)),
    applyGatewayDefinitions(cluster, options.definitionsDirectory),
    applyAll(cluster, gatewayAccess()),
    writeCredentials(cluster, kubeconfigPath),
  ]);
  await applyAll(cluster, gatewayObjects(ports.http));
  await cluster.processes.start({
    name: GATEWAY_PROCESS,
    command: options.traefikBinary,
    args: traefikArgs(ports),
    environment: { KUBECONFIG: kubeconfigPath },
    stopSignal: 'SIGKILL',
  });
  await gatewayProgrammed(cluster);
  return { url: `http://${LOOPBACK}:${ports.http}` };
}

/** Sends requests with the route's host to the Service, from the moment this has ended. */
export async function routeToService(cluster: ControlPlane, route: ServiceRoute): Promise<void> {
  await applyObject(cluster, serviceRoute(route));
  const ports = await readPorts(portsPath(cluster.stateDirectory));
  await waitUntil({
    what: `the gateway to know the route to ${route.service}`,
    // The status of the route is written a little before Traefik acts by it.
    probe: async () => {
      const answer = await fetch(
        `http://${LOOPBACK}:${ports?.administration ?? 0}/api/http/routers`,
      );
      const routers = (await answer.json()) as readonly { readonly rule: string }[];
      return routers.some(({ rule }) => rule.includes(`Host("${route.host}")`));
    },
    processes: cluster.processes,
    needs: [GATEWAY_PROCESS],
    timeoutMs: READY_WITHIN_MS,
  });
}

function traefikArgs(ports: GatewayPorts): string[] {
  return [
    `--entrypoints.web.address=${LOOPBACK}:${ports.http}`,
    `--entrypoints.traefik.address=${LOOPBACK}:${ports.administration}`,
    // Served on the administration port of loopback, without credentials; it changes nothing.
    '--api.insecure=true',
    '--api.dashboard=false',
    '--ping=true',
    '--providers.kubernetesgateway=true',
    `--providers.kubernetesgateway.statusaddress.ip=${LOOPBACK}`,
    // How long a change of endpoints or weights may wait for further ones; the default is 2 s.
    '--providers.providersThrottleDuration=100ms',
    '--global.checknewversion=false',
    '--global.sendanonymoususage=false',
  ];
}

interface GatewayPorts {
  /** Requests to services. */
  readonly http: number;
  /** Traefik's own API and ping. */
  readonly administration: number;
}

/** The ports of before where they can be had, so that addresses that were written down stay true. */
async function portsOf(cluster: ControlPlane, path: string): Promise<GatewayPorts> {
  const earlier = await readPorts(path);
  if (earlier !== undefined) {
    const ports = [earlier.http, earlier.administration];
    const areFree = (await Promise.all(ports.map(isPortFree))).every((isFree) => isFree);
    if (areFree || (await cluster.processes.isRunning(GATEWAY_PROCESS))) return earlier;
  }
  const [http = 0, administration = 0] = await chooseFreePorts(2);
  const ports = { http, administration };
  await writeFileAtomically(path, JSON.stringify(ports));
  return ports;
}

async function readPorts(path: string): Promise<GatewayPorts | undefined> {
  const text = await readFileIfPresent(path);
  return text === undefined ? undefined : (JSON.parse(text) as GatewayPorts);
}

function portsPath(stateDirectory: string): string {
  return join(stateDirectory, 'gateway', 'ports.json');
}

async function writeCredentials(cluster: ControlPlane, path: string): Promise<void> {
  const certificate = await cluster.issueCertificate({
    name: 'gateway',
    commonName: GATEWAY_USER,
    organizations: [COMPONENTS_GROUP],
    usages: ['client'],
  });
  await cluster.writeKubeconfig({ path, user: GATEWAY_USER, certificate });
}

async function applyAll(cluster: ControlPlane, objects: readonly ClusterObject[]): Promise<void> {
  for (const object of objects) await applyObject(cluster, object);
}

interface GatewayObject {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
    }[];
  };
}

async function gatewayProgrammed(cluster: ControlPlane): Promise<void> {
  const path = objectPath({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: GATEWAY_NAME, namespace: GATEWAY_NAMESPACE },
  });
  await waitUntil({
    what: 'the gateway to listen',
    probe: async () => {
      const { body } = await cluster.request({ method: 'GET', path });
      const { metadata, status } = body as GatewayObject;
      return (status?.conditions ?? []).some(
        ({ type, status: holds, observedGeneration }) =>
          type === 'Programmed' && holds === 'True' && observedGeneration === metadata.generation,
      );
    },
    processes: cluster.processes,
    needs: [GATEWAY_PROCESS],
    timeoutMs: READY_WITHIN_MS,
  });
}
