import { Agent, ProxyAgent, type Dispatcher } from 'undici';

type Settings<Options> = Omit<Options, 'allowH2'>;

/**
 * Connections that speak HTTP/1.1, also where a server offers HTTP/2. Over HTTP/2 (undici 8.12.4 on
 * Node 24) a request that is given up while its connection is made leaves a stream behind that
 * nobody listens to: the server goes on sending to it, and the error with which the connection ends
 * one day ends the process. Besides, one shared connection would always reach the same pod.
 *
 * @example
 * const agent = openAgent({ keepAliveTimeout: 10_000 });
 * const { statusCode } = await sendRequest(agent, {
 *   ...{ origin: 'https://shop.example', path: '/healthz', method: 'GET' },
 *   signal: AbortSignal.timeout(2_000),
 * });
 */
export const openAgent = (settings: Settings<Agent.Options> = {}): Agent =>
  new Agent({ ...settings, allowH2: false });

/** The same through an HTTP proxy, to which HTTP/1.1 is spoken too. */
export const openProxyAgent = ({
  requestTls,
  proxyTls,
  ...settings
}: Settings<ProxyAgent.Options>): ProxyAgent =>
  new ProxyAgent({
    ...settings,
    allowH2: false,
    requestTls: { ...requestTls, allowH2: false },
    proxyTls: { ...proxyTls, allowH2: false },
  });

export interface HttpRequest extends Omit<Dispatcher.RequestOptions, 'signal'> {
  /** Ends the wait at once; its reason is what is thrown. */
  signal?: AbortSignal;
}

/**
 * Sends one request. The library tells a request of its signal only when it has a connection, so
 * that a server or proxy that takes no connection would keep its caller waiting; this does not.
 *
 * @throws the reason of the signal, or what the connection ended with
 */
export const sendRequest = async (
  dispatcher: Dispatcher,
  request: HttpRequest,
): Promise<Dispatcher.ResponseData> => {
  const answer = dispatcher.request(request);
  const { signal } = request;
  if (signal === undefined) return answer;
  const given = Promise.withResolvers<never>();
  const giveUp = (): void => {
    given.reject(signal.reason);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([answer, given.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
};
