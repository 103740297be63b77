import type {
  EnvironmentMapping,
  EnvironmentsFile,
} from '../../contracts/shared/environments-file.ts';
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
  /** Sent with every request. */
  header?: { name: string; value: string };
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
  const { traffic, preview } = environment;
  const declares = `Environment ${target.environment} declares that`;
  if (traffic === 'none') {
    return notReachable(`${declares} its pods carry no traffic (traffic: none).`);
  }
  if (target.entry === 'preview') {
    if (preview === 'none') {
      return notReachable(`${declares} previews cannot be reached (preview: none).`);
    }
    return { reachable: true, address: await previewAddress(target, deps, traffic) };
  }
  const { pinnedBy: header } = target;
  if (traffic !== 'cluster-ip') {
    const pinned = header === undefined ? {} : { header };
    return { reachable: true, address: { ...entryAddress(target, traffic), ...pinned } };
  }
  if (header !== undefined) {
    return notReachable(`${declares} no gateway is on the way of users (traffic: cluster-ip).`);
  }
  return { reachable: true, address: await userAddress(target, deps) };
};

const notReachable = (reason: string): ReachableTarget => ({ reachable: false, reason });

type Traffic = Exclude<EnvironmentMapping['traffic'], 'none'>;
type Entry = Exclude<Traffic, string>;

const entryAddress = (target: ProbeTarget, entry: Entry): ProbeAddress => {
  const url = new URL(entry.url);
  return {
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...hostHeader(target, entry),
  };
};

const hostHeader = ({ service }: ProbeTarget, { host }: Entry): { host?: string } =>
  host === undefined ? {} : { host: host.replaceAll('{service}', service) };

/** A release may have more Services, e.g. one for metrics; users come through its namesake. */
const userAddress = (target: ProbeTarget, deps: AddressDeps): Promise<ProbeAddress> => {
  const { service, services } = target;
  return clusterIpAddress({
    target,
    deps,
    entry: services.find(({ name }) => name === service) ?? services[0],
    setting: 'traffic',
  });
};

/** A prefix in the path of the entry is the gateway's and may not reach pods, so it is left out. */
const previewAddress = async (
  target: ProbeTarget,
  deps: AddressDeps,
  traffic: Traffic,
): Promise<ProbeAddress> => {
  const [entry] = target.services;
  const address = await clusterIpAddress({ target, deps, entry, setting: 'preview' });
  return traffic === 'cluster-ip' ? address : { ...address, ...hostHeader(target, traffic) };
};

interface ClusterIpEntry {
  target: ProbeTarget;
  deps: AddressDeps;
  entry: ProbeTarget['services'][number] | undefined;
  /** Field of environments.yaml that leads elsewhere. */
  setting: 'traffic' | 'preview';
}

const clusterIpAddress = async (way: ClusterIpEntry): Promise<ProbeAddress> => {
  const { entry, setting } = way;
  const { environment, service } = way.target;
  if (entry === undefined) {
    throw noEntry(service, `The release of ${service} has no Service`, setting);
  }
  const clusterIp = await way.deps.resolveClusterIp({ environment, service: entry.name });
  if (clusterIp === undefined || clusterIp === '' || clusterIp === 'None') {
    throw noEntry(`Service/${entry.name}`, `Service/${entry.name} has no ClusterIP`, setting);
  }
  const host = clusterIp.includes(':') ? `[${clusterIp}]` : clusterIp;
  return { origin: `http://${host}:${String(entry.port)}`, basePath: '' };
};

const noEntry = (subject: string, what: string, setting: ClusterIpEntry['setting']): Error =>
  codedFailure({
    code: 'NO_DATA',
    message: `${what} that requests could be sent to; nothing was measured.`,
    next: `Add a Service with a ClusterIP, or set \`${setting}\` of the environment in environments.yaml.`,
    subject,
  });
