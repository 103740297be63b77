import { codedErrorOf } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import type { ApiConnection, WireRequest, WireResponse } from './api-connection.ts';
import { ApiError, ApiUnreachable } from './api-error.ts';
import { userAgentOf } from './user-agent.ts';

export interface ApiCall {
  method: WireRequest['method'];
  path: string;
  query?: Record<string, string>;
  body?: unknown;
  contentType?: string;
  accept?: string;
}

export interface WatchOptions {
  signal: AbortSignal;
  /** Something changed, or the watch has an error; what it is, a list tells. */
  onEvent: () => void;
}

/** The API server as raw JSON: fields that this version does not know are neither lost nor changed. */
export interface ApiClient {
  readonly server: string;
  /** @throws ApiError, ApiUnreachable */
  call(call: ApiCall): Promise<unknown>;
  text(call: ApiCall): Promise<string>;
  /** Calls back for each event until the watch ends, which is normal; rejects when it breaks. */
  watch(call: Pick<ApiCall, 'path' | 'query'>, options: WatchOptions): Promise<void>;
  /** Opens a WebSocket at a path with its query; whoever opens it closes it. */
  socket(path: string, protocols: string[]): ReturnType<ApiConnection['socket']>;
}

/** The API server ends a request after 60 s itself; waiting longer only hides a broken connection. */
const requestTimeoutMs = 20_000;

/** A watch without a single event for this long is opened again; events are rare. */
const watchSilenceMs = 60_000;

const pathWithQuery = ({ path, query }: Pick<ApiCall, 'path' | 'query'>): string => {
  const text = new URLSearchParams(query ?? {}).toString();
  return text === '' ? path : `${path}?${text}`;
};

const retryAfterMs = (response: WireResponse): number | undefined => {
  const seconds = Number(response.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text.slice(0, 500) };
  }
};

/** Ends with the attempt: what would be sent after it is a write that nobody waits for. */
const signalFor = (timeoutMs: number): AbortSignal => {
  const { signal } = currentAttempt();
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
};

const send = async (
  connection: ApiConnection,
  call: ApiCall,
  limits: { signal: AbortSignal; silenceMs: number },
): Promise<WireResponse> => {
  const headers: Record<string, string> = {
    'user-agent': userAgentOf(currentAttempt()),
    accept: call.accept ?? 'application/json',
    ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
  };
  const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
  const path = pathWithQuery(call);
  return connection.send({ method: call.method, path, headers, ...body, ...limits });
};

const answerOf = async (
  connection: ApiConnection,
  call: ApiCall,
): Promise<{ response: WireResponse; text: string }> => {
  const name = `${call.method} ${call.path}`;
  try {
    const limits = { signal: signalFor(requestTimeoutMs), silenceMs: requestTimeoutMs };
    const response = await send(connection, call, limits);
    return { response, text: await response.body.text() };
  } catch (error) {
    throwIfCancelled(currentAttempt());
    if (codedErrorOf(error) !== undefined) throw error;
    throw new ApiUnreachable(name, error);
  }
};

const successText = async (connection: ApiConnection, call: ApiCall): Promise<string> => {
  const { response, text } = await answerOf(connection, call);
  if (response.statusCode >= 200 && response.statusCode < 300) return text;
  throw new ApiError({
    status: response.statusCode,
    body: parsed(text),
    retryAfterMs: retryAfterMs(response),
    request: `${call.method} ${call.path}`,
  });
};

const watchUntilEnd = async (
  connection: ApiConnection,
  call: Pick<ApiCall, 'path' | 'query'>,
  options: WatchOptions,
): Promise<void> => {
  const request = { ...call, method: 'GET' as const };
  const limits = { signal: options.signal, silenceMs: watchSilenceMs };
  const response = await send(connection, request, limits);
  if (response.statusCode !== 200) {
    const body = parsed(await response.body.text());
    const answer = { status: response.statusCode, body, retryAfterMs: undefined };
    throw new ApiError({ ...answer, request: `GET ${call.path}` });
  }
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    if (chunk.length > 0) options.onEvent();
  }
};

export const createApiClient = (connection: ApiConnection): ApiClient => ({
  server: connection.server,
  call: async (call) => parsed(await successText(connection, call)),
  text: async (call) => successText(connection, call),
  watch: async (call, options) => watchUntilEnd(connection, call, options),
  socket: async (path, protocols) =>
    connection.socket({
      path,
      protocols,
      headers: { 'user-agent': userAgentOf(currentAttempt()) },
    }),
});
