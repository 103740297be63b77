import type { EnvironmentsFile } from '../../contracts/shared/environments-file.ts';
import { codedFailure } from '../coded-failure.ts';
import type { ProbeTarget } from './port.ts';

/** Looks up the ClusterIP of a Service; undefined when the Service is not there. */
export type ResolveClusterIp = (request: {
  environment: string;
  service: string;
}) => Promise<string | undefined>;

export interface AddressDeps {
  environments: EnvironmentsFile;
  resolveClusterIp: ResolveClusterIp;
}

/** Where the requests of one probe go. */
export interface ProbeAddress {
  origin: string;
  /** Prefix of every path, without a slash at its end. */
  basePath: string;
  /** Host header, where a gateway tells services apart by it. */
  host?: string;
}

export type ReachableTarget =
  { reachable: true; address: ProbeAddress } | { reachable: false; reason: string };

/** How requests reach the service, by what environments.yaml says of the environment. */
export const locateTarget = async (
  target: ProbeTarget,
  deps: AddressDeps,
): Promise<ReachableTarget> => {
  const environment = deps.environments.environments[target.environment];
  if (environment === undefined) {
    throw codedFailure({
      code: 'ENVIRONMENT_UNKNOWN',
      message: `The worker has no environment ${target.environment} in its environments.yaml; no request was sent.`,
      subject: target.environment,
    });
  }
  const { traffic } = environment;
  if (traffic === 'none') {
    const reason = `Environment ${target.environment} declares that its pods carry no traffic (traffic: none).`;
    return { reachable: false, reason };
  }
  const address =
    traffic === 'cluster-ip'
      ? await clusterIpAddress(target, deps.resolveClusterIp)
      : entryAddress(traffic, target.service);
  return { reachable: true, address };
};

const entryAddress = (
  entry: { url: string; host?: string | undefined },
  service: string,
): ProbeAddress => {
  const url = new URL(entry.url);
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...(entry.host === undefined ? {} : { host: entry.host.replaceAll('{service}', service) }),
  };
};

const clusterIpAddress = async (
  target: ProbeTarget,
  resolveClusterIp: ResolveClusterIp,
): Promise<ProbeAddress> => {
  // A release may have more Services, e.g. one for metrics; users come through its namesake.
  const entry = target.services.find(({ name }) => name === target.service) ?? target.services[0];
  if (entry === undefined) {
    throw noEntry(target.service, `The release of ${target.service} has no Service`);
  }
  const { environment } = target;
  const clusterIp = await resolveClusterIp({ environment, service: entry.name });
  if (clusterIp === undefined || clusterIp === '' || clusterIp === 'None') {
    throw noEntry(`Service/${entry.name}`, `Service/${entry.name} has no ClusterIP`);
  }
  const host = clusterIp.includes(':') ? `[${clusterIp}]` : clusterIp;
  return { origin: `http://${host}:${String(entry.port)}`, basePath: '' };
};

const noEntry = (subject: string, what: string): Error =>
  codedFailure({
    code: 'NO_DATA',
    message: `${what} that requests could be sent to; nothing was measured.`,
    next: 'Add a Service with a ClusterIP, or set `traffic` of the environment in environments.yaml.',
    subject,
  });
