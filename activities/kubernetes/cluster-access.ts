import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { codedFailure } from '../coded-failure.ts';

/** The way to one API server with the credentials of one kubeconfig context. */
export interface ClusterAccess {
  readonly server: string;
  readonly proxyUrl: string | undefined;
  /** TLS material and headers; asked for again and again, because credentials may rotate. */
  readonly credentials: () => Promise<RequestOptions>;
}

/** Where a context is looked for; without a file where kubectl looks. */
export interface AccessRequest {
  readonly environment: string;
  readonly file: string | undefined;
  readonly context: string;
}

/** @throws CONFIGURATION_INVALID */
export const openAccess = async (request: AccessRequest): Promise<ClusterAccess> =>
  (await plainAccess(request)) ?? libraryAccess(request);

const Named = z.object({ name: z.string() });
const text = z.string().optional();
const PlainCluster = z.strictObject({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': text,
  'proxy-url': text,
});
const PlainUser = z.strictObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
});
const Kubeconfig = z.object({
  contexts: z.array(Named.extend({ context: z.object({ cluster: z.string(), user: z.string() }) })),
  clusters: z.array(Named.extend({ cluster: z.unknown() })),
  users: z.array(Named.extend({ user: z.unknown() })),
});

/**
 * A context of one file that holds its credentials itself. Loading the client library is half of
 * the start of a worker, and only credential plugins and merged files need it: undefined for those,
 * and for everything that is wrong, because the library can say what.
 */
const plainAccess = async ({
  file,
  context,
}: AccessRequest): Promise<ClusterAccess | undefined> => {
  if (file === undefined) return undefined;
  const content = await readFile(file, 'utf8').catch(() => '');
  const { data: config } = Kubeconfig.safeParse(parsed(content));
  const found = config === undefined ? undefined : plainContext(config, context);
  if (found === undefined) return undefined;
  const { cluster } = found;
  refusePlainHttp(cluster.server, cluster['insecure-skip-tls-verify'] === true);
  return {
    server: cluster.server,
    proxyUrl: cluster['proxy-url'],
    credentials: () => plainCredentials(path.dirname(file), found),
  };
};

interface PlainContext {
  cluster: z.output<typeof PlainCluster>;
  user: z.output<typeof PlainUser>;
}

const plainContext = (
  { contexts, clusters, users }: z.output<typeof Kubeconfig>,
  context: string,
): PlainContext | undefined => {
  const named = contexts.find(({ name }) => name === context)?.context;
  const found = clusters.find(({ name }) => name === named?.cluster)?.cluster;
  const { data: cluster } = PlainCluster.safeParse(found);
  const known = users.find(({ name }) => name === named?.user);
  const { data: user } = PlainUser.safeParse(known?.user);
  return cluster === undefined || user === undefined ? undefined : { cluster, user };
};

const parsed = (content: string): unknown => {
  try {
    return parse(content) as unknown;
  } catch {
    return undefined;
  }
};

const plainCredentials = async (
  directory: string,
  { cluster, user }: PlainContext,
): Promise<RequestOptions> => {
  // Data in the file itself comes before the name of another one, as kubectl has it.
  const bytes = async (data: string | undefined, file: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64');
    return file === undefined ? undefined : readFile(path.resolve(directory, file));
  };
  const ca = await bytes(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await bytes(user['client-certificate-data'], user['client-certificate']);
  const key = await bytes(user['client-key-data'], user['client-key']);
  const servername = cluster['tls-server-name'];
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(servername !== undefined && { servername }),
    ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    ...(user.token !== undefined && { headers: { Authorization: `Bearer ${user.token}` } }),
  };
};

const libraryAccess = async ({
  environment,
  file,
  context,
}: AccessRequest): Promise<ClusterAccess> => {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw configurationError(`The kubeconfig cannot be read: ${reason}`, file ?? 'kubeconfig');
  }
  const subject = `environments.${environment}.context`;
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map(({ name }) => name);
    throw configurationError(
      `Environment ${environment} means the context ${context}, which the kubeconfig does not have; it has ${known.join(', ')}.`,
      subject,
    );
  }
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw configurationError(
      `The context ${context} names a cluster that the kubeconfig does not have.`,
      subject,
    );
  }
  refusePlainHttp(cluster.server, cluster.skipTLSVerify);
  // The library itself refuses plain HTTP, also on loopback, unless this is set.
  config.clusters = config.clusters.map((entry) =>
    entry.name === cluster.name && entry.server.startsWith('http:')
      ? { ...entry, skipTLSVerify: true }
      : entry,
  );
  return {
    server: cluster.server,
    proxyUrl: cluster.proxyUrl,
    credentials: async () => {
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return options;
    },
  };
};

const configurationError = (message: string, subject: string): Error =>
  codedFailure({ code: 'CONFIGURATION_INVALID', message, subject });

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** On loopback there is nobody to read along; anywhere else it is the user's to decide. */
const refusePlainHttp = (server: string, isAllowed: boolean): void => {
  const url = URL.parse(server);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw configurationError(
      `The kubeconfig names the server ${server}, which is no https address.`,
      'server',
    );
  }
  if (url.protocol !== 'http:' || isAllowed || loopback.test(url.hostname)) return;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The kubeconfig names the plain address ${url.origin}; nothing was sent to it.`,
    next: 'Use https, or set insecure-skip-tls-verify if you know that nobody can read along.',
    subject: 'server',
  });
};
