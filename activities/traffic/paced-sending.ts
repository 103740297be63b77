import { setTimeout as delay } from 'node:timers/promises';
import { sendingMoments } from './sending-moments.ts';

export interface PacedSending {
  windowMs: number;
  requestsPerSecond: number;
  /** Requests that wait for an answer at once; a target that hangs slows the sending down. */
  maxInFlight: number;
  signal: AbortSignal;
  /** Sends one request; must not throw. */
  send: () => Promise<void>;
}

/** How far sending may lag behind before the window ends with fewer requests. */
const maxLagMs = 1_000;

/**
 * Sends a fixed number of requests at moments without a rhythm (`sendingMoments`). Returns when all
 * are answered, or at once after an abort. A process that was held up catches up, but one that was
 * stopped for longer than `maxLagMs` ends its window instead of bursting.
 */
export const sendPaced = async (sending: PacedSending): Promise<void> => {
  const { signal, maxInFlight } = sending;
  const { requestsPerSecond } = sending;
  const total = Math.ceil((sending.windowMs * requestsPerSecond) / 1_000);
  const startedAtMs = performance.now();
  const inFlight = new Set<Promise<void>>();
  const aborted = onAbort(signal);
  const over = (): boolean =>
    signal.aborted || performance.now() - startedAtMs > sending.windowMs + maxLagMs;
  for (const momentMs of sendingMoments({ total, requestsPerSecond })) {
    await waitUntil(startedAtMs + momentMs, signal);
    if (inFlight.size >= maxInFlight) await Promise.race([...inFlight, aborted]);
    if (over()) break;
    const request: Promise<void> = sending.send().finally(() => inFlight.delete(request));
    inFlight.add(request);
  }
  await Promise.race([Promise.all(inFlight), aborted]);
};

const onAbort = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const waitUntil = async (dueAtMs: number, signal: AbortSignal): Promise<void> => {
  const remainingMs = dueAtMs - performance.now();
  if (remainingMs <= 0) return;
  // An abort ends the wait by rejecting; the caller looks at the signal itself.
  await delay(remainingMs, undefined, { signal }).catch(() => undefined);
};
