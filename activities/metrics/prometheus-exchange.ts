import type { CodedError } from '../../contracts/errors.ts';
import { codedFailure } from '../coded-failure.ts';
import { openAgent, sendRequest } from '../http-agent.ts';
import { PrometheusAnswer } from './prometheus-answer.ts';
import type { PrometheusAccess } from './prometheus-access.ts';

/** More is not an answer that anything is decided by; it would only fill the worker's memory. */
const maxAnswerBytes = 5_000_000;
const maxRetryAfterMs = 300_000;
const shownChars = 300;

export interface PrometheusCall {
  path: '/api/v1/query' | '/api/v1/query_range';
  /** Sent as a form, because a query can be longer than a URL may be. */
  parameters: Record<string, string>;
  timeoutMs: number;
}

/** A request that is no query. */
export interface PrometheusRequest {
  method: 'GET' | 'POST';
  path: string;
  timeoutMs: number;
}

/**
 * Sends one request and returns the answer, or throws a coded failure. Each has a connection of
 * its own: on a kept one that the server is just closing a request fails for no reason of its own.
 * Redirects are not followed: the token must not go to an address that nobody configured.
 */
export const callPrometheus = async (
  access: PrometheusAccess,
  call: PrometheusCall,
): Promise<PrometheusAnswer> => {
  const { status, retryAfter, body } = await exchange(access, call);
  const json = parseJson(body);
  if (status < 200 || status >= 300) {
    throw codedFailure(
      refusal({ access, call, status, body, json }),
      retryOption(status, retryAfter),
    );
  }
  const answer = PrometheusAnswer.safeParse(json);
  if (answer.success) return answer.data;
  throw codedFailure(notPrometheus(access, `HTTP ${String(status)}: ${shorten(body)}`));
};

/**
 * Sends one request that is no query; what the statuses of its path mean is the caller's. A refusal
 * of the credentials and no answer are failures as for a query.
 */
export const requestPrometheus = async (
  access: PrometheusAccess,
  request: PrometheusRequest,
): Promise<{ status: number; body: string }> => {
  const { status, body } = await exchange(access, request);
  if (status !== 401) return { status, body };
  const { subject } = access;
  const message = `${subject} answers HTTP 401 to ${request.path}; nothing was changed.`;
  throw codedFailure({ code: 'METRICS_ACCESS_DENIED', message, subject });
};

interface Response {
  status: number;
  retryAfter: string | string[] | undefined;
  body: string;
}

type AnyCall = PrometheusCall | PrometheusRequest;

const exchange = async (access: PrometheusAccess, call: AnyCall): Promise<Response> => {
  const agent = openAgent({ pipelining: 0, maxResponseSize: maxAnswerBytes });
  try {
    const response = await sendRequest(agent, {
      origin: access.origin,
      path: `${access.basePath}${call.path}`,
      method: 'method' in call ? call.method : 'POST',
      headers: {
        'user-agent': 'holdfast',
        accept: 'application/json',
        ...('parameters' in call ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...(access.authorization === undefined ? {} : { authorization: access.authorization }),
      },
      ...('parameters' in call ? { body: new URLSearchParams(call.parameters).toString() } : {}),
      signal: AbortSignal.timeout(call.timeoutMs),
    });
    const retryAfter = response.headers['retry-after'];
    return { status: response.statusCode, retryAfter, body: await response.body.text() };
  } catch (error) {
    throw codedFailure(noAnswer(access, call, error), { cause: error });
  } finally {
    await agent.destroy();
  }
};

/** By shape: in a test runner the error may be of another realm's class. */
const noAnswer = (access: PrometheusAccess, call: AnyCall, error: unknown): CodedError => {
  const { name, code, message } = Object(error) as Record<string, string | undefined>;
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' && 'parameters' in call) {
    const limit = `${String(maxAnswerBytes / 1_000_000)} MB`;
    return queryError(call, `The answer to the query is larger than ${limit} and was not read.`);
  }
  const reason =
    name === 'TimeoutError' ? `no answer within ${String(call.timeoutMs)} ms` : (message ?? name);
  return unavailable(access, `${access.subject} does not answer (${shorten(String(reason))}).`);
};

interface Refused {
  access: PrometheusAccess;
  call: PrometheusCall;
  status: number;
  body: string;
  json: unknown;
}

/** Statuses and error types as Prometheus documents them; proxies before it add their own. */
const refusal = ({ access, call, status, body, json }: Refused): CodedError => {
  const said = errorText(json) ?? shorten(body);
  const answered = `${access.subject} answers HTTP ${String(status)} (${said})`;
  const { subject } = access;
  if (status === 401 || status === 403) {
    return { code: 'METRICS_ACCESS_DENIED', message: `${answered}; nothing was read.`, subject };
  }
  if (status === 429) return { code: 'RATE_LIMITED', message: `${answered}.`, subject };
  if (errorText(json) === undefined)
    return notPrometheus(access, `HTTP ${String(status)}: ${said}`);
  if (status === 400) return queryError(call, `The query is refused: ${said}.`);
  if (status === 422) {
    const message = `The query could not be carried out: ${said}.`;
    return { ...queryError(call, message), code: 'METRICS_QUERY_FAILED' };
  }
  return unavailable(access, `${answered}.`);
};

const queryError = (call: PrometheusCall, message: string): CodedError => ({
  code: 'METRICS_QUERY_INVALID',
  message,
  subject: call.parameters['query'] ?? '',
});

const unavailable = ({ subject }: PrometheusAccess, message: string): CodedError => ({
  code: 'METRICS_UNAVAILABLE',
  message,
  subject,
});

/** A gateway that has no route yet, a login page: it may be Prometheus again in a moment. */
const notPrometheus = (access: PrometheusAccess, answer: string): CodedError =>
  unavailable(access, `What answers at ${access.subject} is not Prometheus (${answer}).`);

export const parseJson = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

const errorText = (json: unknown): string | undefined => {
  const { status, error } = Object(json) as { status?: unknown; error?: unknown };
  return status === 'error' && typeof error === 'string' ? shorten(error) : undefined;
};

/** Control characters would garble the terminal of whoever reads the error. */
export const shorten = (text: string): string =>
  text
    .replace(/\p{Cc}+/gu, ' ')
    .slice(0, shownChars)
    .trim() || 'nothing';

const retryOption = (
  status: number,
  header: Response['retryAfter'],
): { nextRetryDelayMs?: number } => {
  const seconds = status === 429 || status === 503 ? Number(header) : Number.NaN;
  return seconds > 0 ? { nextRetryDelayMs: Math.min(seconds * 1_000, maxRetryAfterMs) } : {};
};
