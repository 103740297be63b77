import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import {
  Agent,
  ProxyAgent,
  request,
  WebSocket,
  type buildConnector,
  type Dispatcher,
} from 'undici';
import { codedFailure } from '../coded-failure.ts';
import type { ClusterAccess } from './cluster-access.ts';

export interface WireRequest {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  /** Longest time until the answer begins, and between two parts of it. */
  silenceMs: number;
}

export type WireResponse = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

/** Sends requests to one API server with the credentials of one kubeconfig context. */
export interface ApiConnection {
  readonly server: string;
  send(wire: WireRequest): Promise<WireResponse>;
  /** Opens a WebSocket, which may still fail; whoever opens it closes it. */
  socket(wire: Pick<WireRequest, 'path' | 'headers'> & { protocols: string[] }): Promise<WebSocket>;
}

const connectTimeoutMs = 5_000;

/** Connections of one process to one API server; watches hold one each. */
const mostConnections = 64;

const tlsFields = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'];

/** The TLS material that the kubeconfig, or its credential plugin, gave. */
const tlsOf = (options: RequestOptions): ConnectionOptions =>
  Object.fromEntries(
    Object.entries(options).filter(
      ([field, value]) => tlsFields.includes(field) && value !== undefined,
    ),
  );

const refuseSocks = (proxyUrl: string): void => {
  if (!proxyUrl.startsWith('socks')) return;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: 'The kubeconfig names a SOCKS proxy, which is not supported.',
    next: 'Use an HTTP proxy, or a tunnel to a local port.',
    subject: 'proxy-url',
  });
};

const dispatcherFrom = (
  proxyUrl: string | undefined,
  options: RequestOptions,
  settings: Pick<Agent.Options, 'connections' | 'allowH2'> = { connections: mostConnections },
): Dispatcher => {
  const tls = tlsOf(options);
  if (proxyUrl === undefined) {
    const connect = { ...tls, timeout: connectTimeoutMs } as buildConnector.BuildOptions;
    return new Agent({ connect, ...settings });
  }
  refuseSocks(proxyUrl);
  const requestTls = tls as buildConnector.BuildOptions;
  return new ProxyAgent({ uri: proxyUrl, requestTls, ...settings });
};

/** Certificates may rotate while the worker lives (exec plugins); then connections are made anew. */
const identityOf = (options: RequestOptions): string => JSON.stringify(tlsOf(options));

const textHeaders = (headers: RequestOptions['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers ?? {})
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
  );

/** Sends with the credentials of the access; connects on first use. */
export const openConnection = ({ server, proxyUrl, credentials }: ClusterAccess): ApiConnection => {
  let current: { identity: string; dispatcher: Dispatcher } | undefined;
  const authorised = async (): Promise<{ dispatcher: Dispatcher; headers: object }> => {
    const options = await credentials();
    const identity = identityOf(options);
    if (current?.identity !== identity) {
      current = { identity, dispatcher: dispatcherFrom(proxyUrl, options) };
    }
    return { dispatcher: current.dispatcher, headers: textHeaders(options.headers) };
  };
  const base = server.replace(/\/+$/, '');
  return {
    server,
    async send({ method, path, headers, body, signal, silenceMs }) {
      const { dispatcher, headers: credentials } = await authorised();
      return request(`${base}${path}`, {
        method,
        dispatcher,
        headers: { ...credentials, ...headers },
        headersTimeout: silenceMs,
        bodyTimeout: silenceMs,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async socket({ path, headers, protocols }) {
      const options = await credentials();
      // The API server upgrades HTTP/1.1 only; a connection of its own ends with the socket.
      const dispatcher = dispatcherFrom(proxyUrl, options, { allowH2: false });
      const socket = new WebSocket(`${base.replace(/^http/, 'ws')}${path}`, {
        protocols,
        dispatcher,
        headers: { ...textHeaders(options.headers), ...headers },
      });
      socket.addEventListener('close', () => void dispatcher.destroy(), { once: true });
      return socket;
    },
  };
};
