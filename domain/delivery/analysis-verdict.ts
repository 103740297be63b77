import type { MeasurementOutcome, MeasurementTally } from './measurement-tally.ts';
import { tallyMeasurements } from './measurement-tally.ts';

/**
 * Where the analysis of one metric stands. Inconclusive pauses and asks; an error says that
 * the source could not be read. Neither is a pass.
 */
export type AnalysisVerdict = 'pass' | 'fail' | 'inconclusive' | 'error' | 'running';

export interface AnalysisLimits {
  /** Failed measurements that are allowed; negative switches the limit off. */
  failureLimit: number;
  /** Inconclusive measurements that are allowed. */
  inconclusiveLimit: number;
  /** Measurements in a row that may bring no answer. */
  consecutiveErrorLimit: number;
  /** Successes in a row that pass at once; at least 1. */
  consecutiveSuccessLimit?: number;
  /** Answers after which the analysis is complete. Errors and missing data are none. */
  count?: number;
  /** Successes and failures that a pass needs. One if absent; all of `count` for an early end. */
  minSamples?: number;
}

export const defaultAnalysisLimits = {
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
} as const satisfies AnalysisLimits;

export type AnalysisReason =
  | 'failure-limit'
  | 'inconclusive-limit'
  | 'error-limit'
  | 'in-flight'
  | 'success-streak'
  | 'complete'
  | 'ended'
  | 'streak-missing'
  | 'too-few-samples'
  | 'nothing-asked'
  | 'unfinished';

interface Decision {
  verdict: AnalysisVerdict;
  because: AnalysisReason;
}

export interface AnalysisResult extends Decision {
  /** For the person who reads the release. */
  note: string;
  /** When the measurement under way is given up; null where none is. */
  inFlightUntilMs: number | null;
}

/** What is known of a run, and whether anything more will come. */
interface Run {
  tally: MeasurementTally;
  limits: AnalysisLimits;
  ended: boolean;
}

const validSamples = ({ success, failed }: MeasurementTally): number => success + failed;

/** What stops a run at once, also while a measurement is under way. */
const stopped = ({ tally, limits }: Run): Decision | undefined => {
  if (limits.failureLimit >= 0 && tally.failed > limits.failureLimit) {
    return { verdict: 'fail', because: 'failure-limit' };
  }
  if (tally.inconclusive > limits.inconclusiveLimit) {
    return { verdict: 'inconclusive', because: 'inconclusive-limit' };
  }
  if (tally.longestSilence > limits.consecutiveErrorLimit) {
    return { verdict: 'error', because: 'error-limit' };
  }
  return undefined;
};

/** A run that has all its measurements and crossed no limit. */
const closed = (
  { tally, limits }: Run,
  end: { reason: 'complete' | 'ended'; minSamples: number },
): Decision => {
  const { consecutiveSuccessLimit: wanted, failureLimit } = limits;
  if (validSamples(tally) < Math.max(1, end.minSamples)) {
    return { verdict: 'inconclusive', because: 'too-few-samples' };
  }
  if (wanted !== undefined) {
    const provesFailure = end.reason === 'complete' && failureLimit < 0;
    return { verdict: provesFailure ? 'fail' : 'inconclusive', because: 'streak-missing' };
  }
  return failureLimit < 0
    ? { verdict: 'inconclusive', because: 'nothing-asked' }
    : { verdict: 'pass', because: end.reason };
};

/** Does the streak that was asked for exist, on enough samples? */
const hasStreak = ({ tally, limits }: Run): boolean =>
  limits.consecutiveSuccessLimit !== undefined &&
  tally.longestStreak >= limits.consecutiveSuccessLimit &&
  validSamples(tally) >= Math.max(1, limits.minSamples ?? 1);

const decide = (run: Run): Decision => {
  const { tally, limits, ended } = run;
  const stop = stopped(run);
  if (stop !== undefined) return stop;
  if (tally.inFlightUntilMs !== null) return { verdict: 'running', because: 'in-flight' };
  if (hasStreak(run)) return { verdict: 'pass', because: 'success-streak' };
  const answers = validSamples(tally) + tally.inconclusive;
  if (limits.count !== undefined && answers >= limits.count) {
    return closed(run, { reason: 'complete', minSamples: limits.minSamples ?? 1 });
  }
  return ended
    ? closed(run, { reason: 'ended', minSamples: limits.minSamples ?? limits.count ?? 1 })
    : { verdict: 'running', because: 'unfinished' };
};

const notes: Readonly<Record<AnalysisReason, (run: Run) => string>> = {
  'failure-limit': ({ tally, limits }) =>
    `${tally.failed} measurements failed, ${limits.failureLimit} allowed`,
  'inconclusive-limit': ({ tally, limits }) =>
    `${tally.inconclusive} measurements were inconclusive, ${limits.inconclusiveLimit} allowed`,
  'error-limit': ({ tally, limits }) =>
    `${tally.longestSilence} measurements in a row brought no answer, ${limits.consecutiveErrorLimit} allowed`,
  'in-flight': () => 'a measurement is under way',
  'success-streak': ({ tally }) => `${tally.longestStreak} measurements in a row succeeded`,
  complete: ({ tally }) => `${tally.success} of ${validSamples(tally)} measurements succeeded`,
  ended: ({ tally }) => `${tally.success} of ${validSamples(tally)} measurements succeeded`,
  'streak-missing': ({ tally, limits }) =>
    `at most ${tally.longestStreak} measurements in a row succeeded, ${limits.consecutiveSuccessLimit ?? 0} were asked for`,
  'too-few-samples': ({ tally }) =>
    `${validSamples(tally)} measurements with an answer are too few for a verdict`,
  'nothing-asked': () => 'no failure limit and no streak of successes was asked for',
  unfinished: ({ tally }) => `${validSamples(tally)} measurements so far`,
};

/** The verdict on a tally, for runs whose early measurements are no longer kept. */
export const verdictOnTally = (run: Run): AnalysisResult => {
  const decision = decide(run);
  return {
    ...decision,
    note: notes[decision.because](run),
    inFlightUntilMs: run.tally.inFlightUntilMs,
  };
};

/**
 * The verdict on one metric. The first that holds:
 *
 * | state | verdict |
 * |---|---|
 * | more failed than `failureLimit` | fail; a proven failure never becomes a pause |
 * | more inconclusive than `inconclusiveLimit` | inconclusive |
 * | more without an answer in a row than `consecutiveErrorLimit` | error |
 * | a measurement is under way | running, until its deadline; nothing passes meanwhile |
 * | `consecutiveSuccessLimit` reached | pass |
 * | `count` reached or ended, with fewer valid samples than needed, at least one | inconclusive |
 * | `count` reached, only a streak asked for and missing | fail |
 * | `count` reached or ended, a streak asked for and missing | inconclusive |
 * | `count` reached or ended, with a failure limit | pass |
 * | `count` reached or ended, with neither | inconclusive: nothing was asked |
 * | else | running |
 *
 * A limit that was crossed and a streak that was reached stay so, whatever comes after.
 *
 * @param run.ended nothing more will be measured, because the step is over or was stopped.
 */
export const analysisVerdict = ({
  measurements,
  limits,
  ended,
}: {
  measurements: readonly MeasurementOutcome[];
  limits: AnalysisLimits;
  ended: boolean;
}): AnalysisResult => verdictOnTally({ tally: tallyMeasurements(measurements), limits, ended });
