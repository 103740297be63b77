import { setTimeout as delay } from 'node:timers/promises';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { ApiError } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { collectionPath, type Collection } from './object-access.ts';

export interface WatchedCollection extends Collection {
  labelSelector?: string;
  fieldSelector?: string;
}

/**
 * Wakes its reader when something changed; what changed is always read by a list. So a watch
 * that is dead, late or gone (410) costs at most the longest wait, never a wrong answer.
 */
export interface ChangeFeed {
  /** Resolves at the next change, or after the time at the latest; rejects on cancellation. */
  next(atMostMs: number): Promise<void>;
  close(): void;
}

/** A watch is opened anew after this, whether it works or not: some die without a word. */
const watchSeconds = 50;

/** Pause before a broken watch is opened again; the list goes on meanwhile. */
const reopenMs = 500;

/** Changes come in bursts; one list answers for all of them. */
const settleMs = 30;

const queryOf = (watched: WatchedCollection, resourceVersion: string | undefined) => ({
  watch: 'true',
  timeoutSeconds: String(watchSeconds),
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
  ...(watched.labelSelector === undefined ? {} : { labelSelector: watched.labelSelector }),
  ...(watched.fieldSelector === undefined ? {} : { fieldSelector: watched.fieldSelector }),
});

/** Who may not watch still sees every change, a little later. */
const isRefused = (error: unknown): boolean => error instanceof ApiError && error.status === 403;

const keepWatching = async (
  cluster: Cluster,
  watched: WatchedCollection,
  options: { signal: AbortSignal; wake: () => void },
): Promise<void> => {
  const { signal, wake } = options;
  const path = collectionPath(cluster.namespace, watched);
  while (!signal.aborted) {
    try {
      // Without a version the server first sends what there is: a change that fell between
      // two watches wakes the reader at once.
      await cluster.api.watch(
        { path, query: queryOf(watched, undefined) },
        { signal, onEvent: wake },
      );
    } catch (error) {
      if (isRefused(error)) return;
      await delay(reopenMs, undefined, { signal }).catch(() => undefined);
    }
    wake();
  }
};

/** Resolves when woken or after the time, whichever is first; rejects when the signal aborts. */
const wokenOrLater = async (
  woken: Promise<void>,
  atMostMs: number,
  cancellation: AbortSignal | undefined,
): Promise<void> => {
  const ended = new AbortController();
  const signal =
    cancellation === undefined ? ended.signal : AbortSignal.any([ended.signal, cancellation]);
  const timer = delay(atMostMs, undefined, { signal });
  try {
    await Promise.race([woken, timer]);
  } finally {
    ended.abort();
    await timer.catch(() => undefined);
  }
};

/** Opens a watch on each collection; close it in a `finally`. */
export const openChangeFeed = (
  cluster: Cluster,
  watched: readonly WatchedCollection[],
): ChangeFeed => {
  const closing = new AbortController();
  const attempt = currentAttempt();
  let changed = false;
  let notify = (): void => undefined;
  const wake = (): void => {
    changed = true;
    notify();
  };
  for (const collection of watched) {
    void keepWatching(cluster, collection, { signal: closing.signal, wake });
  }
  return {
    async next(atMostMs) {
      const woken = new Promise<void>((resolve) => {
        notify = resolve;
      });
      try {
        if (!changed) await wokenOrLater(woken, atMostMs, attempt.signal);
        await wokenOrLater(new Promise(() => undefined), settleMs, attempt.signal);
      } catch (error) {
        throwIfCancelled(attempt);
        throw error;
      }
      changed = false;
    },
    close() {
      closing.abort();
    },
  };
};
