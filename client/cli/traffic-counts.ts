/** What one request got. */
export interface ProbeAnswer {
  sentAtMs: number;
  endedAtMs: number;
  /** `X-Version` of the answer; `null` when there was none. */
  version: string | null;
  /** `null` when the request succeeded. */
  failure: string | null;
}

/** Counts of the requests of one chapter of the story. */
export interface TrafficCounts {
  sent: number;
  failed: number;
  startedAtMs: number;
  endedAtMs: number;
  /** When the first request that failed was answered. */
  firstFailureAtMs: number | null;
  /** When the last answer of each version came. */
  lastAnswerAtMs: Record<string, number>;
  answers: Record<string, number>;
  failureExample: string | null;
  lastFailureAtMs: number | null;
}

export const emptyCounts = (startedAtMs: number): TrafficCounts => ({
  sent: 0,
  failed: 0,
  startedAtMs,
  endedAtMs: startedAtMs,
  firstFailureAtMs: null,
  lastFailureAtMs: null,
  lastAnswerAtMs: {},
  answers: {},
  failureExample: null,
});

/** Adds one answer to the counts in place. */
export const countAnswer = (counts: TrafficCounts, answer: ProbeAnswer): void => {
  counts.sent += 1;
  counts.endedAtMs = Math.max(counts.endedAtMs, answer.endedAtMs);
  if (answer.version !== null) {
    counts.answers[answer.version] = (counts.answers[answer.version] ?? 0) + 1;
    counts.lastAnswerAtMs[answer.version] = answer.endedAtMs;
  }
  if (answer.failure === null) return;
  counts.failed += 1;
  counts.firstFailureAtMs ??= answer.endedAtMs;
  counts.lastFailureAtMs = answer.endedAtMs;
  counts.failureExample ??= answer.failure;
};

/** Requests per second over the whole chapter. */
export const requestsPerSecond = ({ sent, startedAtMs, endedAtMs }: TrafficCounts): number =>
  endedAtMs > startedAtMs ? (sent * 1_000) / (endedAtMs - startedAtMs) : 0;

/**
 * Time from the first failed request until nothing but the old version answered; `null`
 * without a failed request.
 */
export const timeToSafeMs = (counts: TrafficCounts, oldVersion: string): number | null => {
  const { firstFailureAtMs, lastFailureAtMs, lastAnswerAtMs } = counts;
  if (firstFailureAtMs === null) return null;
  const others = Object.entries(lastAnswerAtMs)
    .filter(([version]) => version !== oldVersion)
    .map(([, atMs]) => atMs);
  return Math.max(lastFailureAtMs ?? firstFailureAtMs, ...others) - firstFailureAtMs;
};
