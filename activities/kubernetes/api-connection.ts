import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { WebSocket, type buildConnector, type Dispatcher } from 'undici';
import { codedFailure } from '../coded-failure.ts';
import { openAgent, openProxyAgent, sendRequest } from '../http-agent.ts';
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

/** Shorter than that of any API server or balancer before it: who ends an idle connection is us. */
const keepAliveTimeoutMs = 15_000;

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

/** As many connections as there are requests at once: watches hold one each for their whole life. */
const dispatcherFrom = (proxyUrl: string | undefined, options: RequestOptions): Dispatcher => {
  const tls = tlsOf(options);
  const keepAliveTimeout = keepAliveTimeoutMs;
  if (proxyUrl === undefined) {
    const connect = { ...tls, timeout: connectTimeoutMs } as buildConnector.BuildOptions;
    return openAgent({ connect, keepAliveTimeout });
  }
  refuseSocks(proxyUrl);
  const requestTls = { ...tls, timeout: connectTimeoutMs } as buildConnector.BuildOptions;
  const proxyTls = { timeout: connectTimeoutMs };
  return openProxyAgent({ uri: proxyUrl, requestTls, proxyTls, keepAliveTimeout });
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
  const { origin, pathname } = new URL(base);
  const basePath = pathname === '/' ? '' : pathname;
  return {
    server,
    async send({ method, path, headers, body, signal, silenceMs }) {
      const { dispatcher, headers: credentials } = await authorised();
      return sendRequest(dispatcher, {
        origin,
        path: `${basePath}${path}`,
        method,
        headers: { ...credentials, ...headers },
        headersTimeout: silenceMs,
        // Else the library ends the connection after each DELETE that has a body.
        reset: false,
        bodyTimeout: silenceMs,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    },
    async socket({ path, headers, protocols }) {
      const options = await credentials();
      // A connection of its own ends with the socket.
      const dispatcher = dispatcherFrom(proxyUrl, options);
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
