import { isSurelyAbove } from '../statistics/surely-above.ts';

/**
 * A gate decides from what was measured whether a release goes on. No data is a
 * verdict of its own and never a pass; `not-measured` exists only where the
 * environment declares that it carries no traffic.
 */
export type GateVerdict = 'pass' | 'fail' | 'inconclusive' | 'no-data' | 'not-measured' | 'skipped';

export interface GateResult {
  /** `smoke`, `bake`, or which stop of the rollout was watched, e.g. `watch at 10 %`. */
  name: string;
  verdict: GateVerdict;
  note: string;
  samples: number;
  failures: number;
  /** Metrics that decided, where metrics did. */
  decidedBy?: string[];
}

/** Does the release go on after this verdict? `skipped` was decided by an operator. */
export const opens = (gate: GateResult): boolean =>
  gate.verdict === 'pass' || gate.verdict === 'not-measured' || gate.verdict === 'skipped';

export const notMeasured = (name: string, reason: string): GateResult => ({
  name,
  verdict: 'not-measured',
  note: reason,
  samples: 0,
  failures: 0,
});

export const skippedGate = (name: string, note: string): GateResult => ({
  name,
  verdict: 'skipped',
  note,
  samples: 0,
  failures: 0,
});

/** Answer of one smoke check, as the prober reports it. */
export interface CheckedAnswer {
  check: { path: string };
  passed: boolean;
  answer: string;
}

/** Every check must have passed, and at least one must have been made. */
export const judgeSmoke = (name: string, checks: readonly CheckedAnswer[]): GateResult => {
  const failed = checks.filter(({ passed }) => !passed);
  const counts = { name, samples: checks.length, failures: failed.length };
  const [first] = failed;
  if (checks.length === 0) {
    return { ...counts, verdict: 'no-data', note: 'no check was answered for' };
  }
  if (first === undefined) {
    return { ...counts, verdict: 'pass', note: `${checks.length} of ${checks.length} passed` };
  }
  return {
    ...counts,
    verdict: 'fail',
    note: `${first.check.path} answered ${first.answer} (${failed.length} of ${checks.length} failed)`,
  };
};

/** Thresholds of a bake. */
export interface BakeRule {
  /** Name of the gate; default `bake`. */
  name?: string;
  forMs: number;
  maxFailureRatio: number;
  minSamples: number;
  requestsPerSecond: number;
  /** Default: a minute. */
  longestWindowMs?: number;
}

/** What a bake has seen so far. */
export interface BakeTally {
  samples: number;
  failures: number;
  /** Watched while the clock ran; windows during a pause count samples but no time. */
  watchedMs: number;
  lastFailure: string | null;
}

export const emptyTally: BakeTally = { samples: 0, failures: 0, watchedMs: 0, lastFailure: null };

export const addWindow = (
  tally: BakeTally,
  window: { samples: number; failures: number; watchedMs: number; lastFailure: string | null },
): BakeTally => ({
  samples: tally.samples + window.samples,
  failures: tally.failures + window.failures,
  watchedMs: tally.watchedMs + window.watchedMs,
  lastFailure: window.lastFailure ?? tally.lastFailure,
});

const longestWindowMs = 60_000;

export interface WindowRequest {
  windowMs: number;
  stopAtFailures: number;
  stopWhenSure: SureStop;
}

/** Ends a window as soon as its requests, and those before it, surely fail too often. */
export interface SureStop {
  maxFailureRatio: number;
  /** A verdict needs so many, of the earlier windows and this one. */
  minSamples: number;
  earlier: { samples: number; failures: number };
}

/** Are these requests, with the earlier ones, surely above the limit? */
export const isSure = (
  { maxFailureRatio, minSamples, earlier }: SureStop,
  seen: { samples: number; failures: number },
): boolean => {
  const trials = earlier.samples + seen.samples;
  if (trials < minSamples) return false;
  return isSurelyAbove(maxFailureRatio, { trials, events: earlier.failures + seen.failures });
};

/** The next window to watch, or nothing when the time is over. */
export const nextWindow = (rule: BakeRule, tally: BakeTally): WindowRequest | undefined => {
  const leftMs = rule.forMs - tally.watchedMs;
  if (leftMs <= 0) return undefined;
  const windowMs = Math.min(rule.longestWindowMs ?? longestWindowMs, leftMs);
  const { maxFailureRatio, minSamples } = rule;
  const { samples, failures } = tally;
  return {
    windowMs,
    stopAtFailures: stopAtFailures(rule, tally, windowMs),
    stopWhenSure: { maxFailureRatio, minSamples, earlier: { samples, failures } },
  };
};

/**
 * How much of the bake a window was: the share of it in which the clock ran. A window that
 * ended early at its failures counts what it took.
 */
export const watchedMs = (
  window: Pick<WindowRequest, 'windowMs' | 'stopAtFailures'>,
  seen: { failures: number; endedEarly?: boolean; tookMs: number; clockRanMs: number },
): number => {
  if (seen.endedEarly === true || seen.failures >= window.stopAtFailures) {
    return Math.min(window.windowMs, seen.clockRanMs);
  }
  const share = seen.tookMs === 0 ? 1 : seen.clockRanMs / seen.tookMs;
  return Math.round(window.windowMs * Math.min(1, share));
};

/**
 * The count of failures in the window after which its end cannot change the verdict:
 * even if all other requests passed, the threshold would be crossed. Where it is
 * crossed already, only the smallest number of samples is still missing.
 */
const stopAtFailures = (rule: BakeRule, tally: BakeTally, windowMs: number): number => {
  const samplesAtEnd = tally.samples + Math.ceil((windowMs * rule.requestsPerSecond) / 1_000);
  const crossing = Math.floor(rule.maxFailureRatio * samplesAtEnd) + 1 - tally.failures;
  const missing = isOverThreshold(rule, tally) ? rule.minSamples - tally.samples : 0;
  return Math.max(1, crossing, missing);
};

const isOverThreshold = (rule: BakeRule, tally: BakeTally): boolean =>
  tally.samples > 0 && tally.failures / tally.samples > rule.maxFailureRatio;

const percent = (ratio: number): string => `${(ratio * 100).toFixed(2)} %`;

/** The verdict on a bake; undefined while it has to go on. */
export const judgeBake = (rule: BakeRule, tally: BakeTally): GateResult | undefined => {
  const { samples, failures } = tally;
  const counts = { name: rule.name ?? 'bake', samples, failures };
  const over = tally.watchedMs >= rule.forMs;
  if (samples < rule.minSamples) {
    if (!over) return undefined;
    const note = `${samples} samples are fewer than the ${rule.minSamples} that a verdict needs`;
    return { ...counts, verdict: 'no-data', note };
  }
  const limit = percent(rule.maxFailureRatio);
  const seen = `${failures} of ${samples} requests failed`;
  if (isOverThreshold(rule, tally)) {
    const last = tally.lastFailure === null ? '' : `; last answer: ${tally.lastFailure}`;
    return { ...counts, verdict: 'fail', note: `${seen}, more than ${limit}${last}` };
  }
  return over
    ? { ...counts, verdict: 'pass', note: `${seen}, at most ${limit} allowed` }
    : undefined;
};

const firstGapMs = 60_000;
const longestGapMs = 1_800_000;

/**
 * How long to rest after so many windows within one pause. Watching goes on while a run
 * is paused, but a pause over a weekend must not fill the history.
 */
export const restBetweenPausedWindowsMs = (pausedWindows: number): number =>
  pausedWindows < 5 ? 0 : Math.min(longestGapMs, firstGapMs * 2 ** (pausedWindows - 5));

const shortestHeldRoundMs = 60_000;
const longestHeldRoundMs = 3_600_000;

/**
 * How long one round of judging takes while an operator holds a weight: long enough for twice
 * the samples that a verdict needs at that share, and for two looks at each metric.
 */
export const heldRoundMs = (
  rule: Pick<BakeRule, 'minSamples' | 'requestsPerSecond'>,
  seen: { share: number; intervalsMs: readonly number[] },
): number => {
  const samplesPerMs = (rule.requestsPerSecond * seen.share) / 1_000;
  const forSamplesMs = Math.ceil((2 * rule.minSamples) / samplesPerMs);
  const forLooksMs = 2 * Math.max(0, ...seen.intervalsMs);
  return Math.min(longestHeldRoundMs, Math.max(shortestHeldRoundMs, forSamplesMs, forLooksMs));
};
