import type { Dispatcher } from 'undici';
import { codedFailure } from '../coded-failure.ts';
import { openAgent, sendRequest } from '../http-agent.ts';
import type { Notification } from './port.ts';

const timeoutMs = 5_000;
const maxRetryAfterMs = 300_000;

/**
 * Posts notifications as JSON. The header `Idempotency-Key` is the same for every
 * attempt, so that a receiver can drop what it has seen. Redirects are not
 * followed: a body must not go to an address that nobody configured.
 */
export const createWebhookNotifier = (): ((
  url: string,
  notification: Notification,
) => Promise<void>) => {
  const agent = openAgent();
  return async (url, notification) => {
    const response = await post(agent, url, notification);
    // The connection is reused only after the body was read; its content does not matter.
    await response.body.dump();
    const { statusCode } = response;
    if (statusCode >= 200 && statusCode < 300) return;
    throw refusal(url, statusCode, retryAfterMs(response.headers['retry-after']));
  };
};

const post = async (
  agent: Dispatcher,
  url: string,
  notification: Notification,
): Promise<Dispatcher.ResponseData> => {
  try {
    const { origin, pathname, search } = new URL(url);
    return await sendRequest(agent, {
      origin,
      path: `${pathname}${search}`,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': notification.id },
      body: JSON.stringify(notification),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw codedFailure(
      {
        code: 'INTERNAL',
        message: `The webhook ${withoutQuery(url)} did not answer (${reason}); it is tried again.`,
        next: 'Check that the receiver runs and that the worker can reach it.',
        subject: withoutQuery(url),
      },
      { cause: error },
    );
  }
};

const refusal = (url: string, status: number, retryMs: number | undefined): Error => {
  const subject = withoutQuery(url);
  const answered = `The webhook ${subject} answered HTTP ${String(status)}`;
  const retryOptions = retryMs === undefined ? {} : { nextRetryDelayMs: retryMs };
  if (status === 429) {
    const message = `${answered}; it is tried again later.`;
    return codedFailure({ code: 'RATE_LIMITED', message, subject }, retryOptions);
  }
  if (status >= 500) {
    const message = `${answered}; it is tried again.`;
    const next = 'Read the log of the receiver.';
    return codedFailure({ code: 'INTERNAL', message, next, subject }, retryOptions);
  }
  const message = `${answered}; the notification was dropped, because trying again would not help.`;
  return codedFailure({
    code: 'INVALID_INPUT',
    message,
    next: 'Correct the address under `notify`, or make the receiver accept a POST of JSON.',
    subject,
  });
};

/** Queries of webhook addresses carry tokens; they do not belong into a history. */
const withoutQuery = (url: string): string => {
  const parsed = new URL(url);
  return `${parsed.origin}${parsed.pathname}`;
};

const retryAfterMs = (header: string | string[] | undefined): number | undefined => {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0
    ? Math.min(seconds * 1_000, maxRetryAfterMs)
    : undefined;
};
