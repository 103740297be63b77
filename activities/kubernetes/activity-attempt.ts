import { CancelledFailure, Context } from '@temporalio/activity';

/** What the code that talks to a cluster knows of the activity attempt it runs in. */
export interface Attempt {
  /** `<workflow id>; <activity type>; <activity id>`: goes into the user agent of each request. */
  readonly step: string;
  heartbeat(detail: unknown): void;
  /** What an earlier attempt of the same activity told last; absent in the first. */
  readonly earlier?: unknown;
  /** Aborts when the activity is cancelled or the worker shuts down; absent outside an activity. */
  readonly signal?: AbortSignal;
  /** When the activity, not just this attempt, was scheduled; absent outside an activity. */
  readonly scheduledAtMs?: number;
  /** After this the server counts the attempt as lost, and it must not write any more. */
  readonly endsAtMs?: number;
}

const outside: Attempt = { step: 'none; none; none', heartbeat: () => undefined };

/**
 * When each attempt began here. Temporal tells when an attempt was scheduled, but its time runs
 * from when a worker took it, which after a crash may be much later.
 */
const startsMs = new WeakMap<Context, number>();

const startOf = (context: Context): number => {
  const known = startsMs.get(context);
  if (known !== undefined) return known;
  const nowMs = Date.now();
  startsMs.set(context, nowMs);
  return nowMs;
};

const contextOrNone = (): Context | undefined => {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
};

/** The attempt that the caller runs in; also usable outside of Temporal, where it is nobody's. */
export const currentAttempt = (): Attempt => {
  const context = contextOrNone();
  if (context === undefined) return outside;
  const { info } = context;
  const workflowId = info.workflowExecution?.workflowId ?? 'none';
  const timeoutMs = info.startToCloseTimeoutMs;
  return {
    step: `${workflowId}; ${info.activityType}; ${info.activityId}`,
    heartbeat: (detail) => {
      context.heartbeat(detail);
    },
    ...(info.heartbeatDetails === undefined ? {} : { earlier: info.heartbeatDetails as unknown }),
    signal: context.cancellationSignal,
    scheduledAtMs: info.scheduledTimestampMs,
    ...(timeoutMs > 0 ? { endsAtMs: startOf(context) + timeoutMs } : {}),
  };
};

/** Ends the activity as cancelled as soon as it is. */
export const throwIfCancelled = (attempt: Attempt): void => {
  if (attempt.signal?.aborted !== true) return;
  const reason: unknown = attempt.signal.reason;
  throw reason instanceof Error ? reason : new CancelledFailure('the activity was cancelled');
};
