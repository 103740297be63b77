/**
 * What one measurement of a metric said. No data is neither a number nor an error of the
 * source, and like an error it is no answer.
 */
export type MeasurementState =
  'success' | 'failed' | 'inconclusive' | 'no-data' | 'error' | 'in-flight';

/** A measurement under way has a time limit of its own, or an analysis could wait for ever. */
export type MeasurementOutcome =
  | { readonly state: Exclude<MeasurementState, 'in-flight'> }
  | { readonly state: 'in-flight'; readonly deadlineMs: number };

/** All that a verdict needs of a run, so that old measurements need not be kept. */
export interface MeasurementTally {
  readonly success: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly noData: number;
  readonly error: number;
  /** Successes in a row up to the last measurement, and at most. */
  readonly streak: number;
  readonly longestStreak: number;
  /** Measurements in a row without an answer (errors, no data), up to the last, and at most. */
  readonly silence: number;
  readonly longestSilence: number;
  /** The latest deadline of the measurements under way; null where none is. */
  readonly inFlightUntilMs: number | null;
}

export const emptyMeasurementTally: MeasurementTally = {
  success: 0,
  failed: 0,
  inconclusive: 0,
  noData: 0,
  error: 0,
  streak: 0,
  longestStreak: 0,
  silence: 0,
  longestSilence: 0,
  inFlightUntilMs: null,
};

const counter = {
  success: 'success',
  failed: 'failed',
  inconclusive: 'inconclusive',
  'no-data': 'noData',
  error: 'error',
} as const;

/** The tally with one more measurement. Only finished ones belong into a tally that is kept. */
export const addMeasurement = (
  tally: MeasurementTally,
  measurement: MeasurementOutcome,
): MeasurementTally => {
  if (measurement.state === 'in-flight') {
    const untilMs = Math.max(tally.inFlightUntilMs ?? 0, measurement.deadlineMs);
    return { ...tally, inFlightUntilMs: untilMs };
  }
  const { state } = measurement;
  const streak = state === 'success' ? tally.streak + 1 : 0;
  const silence = state === 'error' || state === 'no-data' ? tally.silence + 1 : 0;
  return {
    ...tally,
    [counter[state]]: tally[counter[state]] + 1,
    streak,
    longestStreak: Math.max(tally.longestStreak, streak),
    silence,
    longestSilence: Math.max(tally.longestSilence, silence),
  };
};

export const tallyMeasurements = (measurements: readonly MeasurementOutcome[]): MeasurementTally =>
  measurements.reduce(addMeasurement, emptyMeasurementTally);

/** A measurement that is under way past its deadline gave no answer: an error. */
export const expireMeasurements = <M extends MeasurementOutcome>(
  measurements: readonly M[],
  nowMs: number,
): readonly (M | { readonly state: 'error' })[] =>
  measurements.map((measurement) =>
    measurement.state === 'in-flight' && measurement.deadlineMs <= nowMs
      ? { state: 'error' }
      : measurement,
  );

/** The last measurements of a run: what stays of it as evidence. */
export const keepEvidence = <M>(measurements: readonly M[], last: number): readonly M[] =>
  measurements.slice(Math.max(0, measurements.length - last));
