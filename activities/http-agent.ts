import { Agent, ProxyAgent } from 'undici';

type Settings<Options> = Omit<Options, 'allowH2'>;

/**
 * Connections that speak HTTP/1.1, also where a server offers HTTP/2. Over HTTP/2 (undici 8.12.4 on
 * Node 24) a request that is given up while its connection is made leaves a stream behind that
 * nobody listens to: the server goes on sending to it, and the error with which the connection ends
 * one day ends the process. Besides, one shared connection would always reach the same pod.
 *
 * @example
 * const agent = openAgent({ keepAliveTimeout: 10_000 });
 * const { statusCode } = await agent.request({ origin: 'https://shop.example', path: '/', method: 'GET' });
 */
export const openAgent = (settings: Settings<Agent.Options> = {}): Agent =>
  new Agent({ ...settings, allowH2: false });

/** The same through an HTTP proxy. */
export const openProxyAgent = ({
  requestTls,
  ...settings
}: Settings<ProxyAgent.Options>): ProxyAgent =>
  new ProxyAgent({ ...settings, allowH2: false, requestTls: { ...requestTls, allowH2: false } });
