import fc from 'fast-check';
import type { AnalysisLimits, AnalysisResult } from '../../../domain/delivery/analysis-verdict.ts';
import { analysisVerdict } from '../../../domain/delivery/analysis-verdict.ts';
import type {
  MeasurementOutcome,
  MeasurementState,
} from '../../../domain/delivery/measurement-tally.ts';

export type Finished = Exclude<MeasurementState, 'in-flight'>;

/** Mostly successes, or hardly a run would get past its limits. */
export const finished: fc.Arbitrary<Finished> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Finished>('success') },
  { weight: 2, arbitrary: fc.constant<Finished>('failed') },
  { weight: 1, arbitrary: fc.constantFrom<Finished>('inconclusive', 'no-data', 'error') },
);
export const answered: fc.Arbitrary<Finished> = fc.constantFrom(
  'success',
  'failed',
  'inconclusive',
);
export const runOf = (state: fc.Arbitrary<Finished>, maxLength = 20): fc.Arbitrary<Finished[]> =>
  fc.array(state, { maxLength });

const limit = fc.integer({ min: 0, max: 6 });
/** Limits that these runs cannot cross. */
export const noLimits = { failureLimit: 99, inconclusiveLimit: 99, consecutiveErrorLimit: 99 };

export const limits: fc.Arbitrary<AnalysisLimits> = fc
  .record({
    failureLimit: fc.integer({ min: -1, max: 8 }),
    inconclusiveLimit: limit,
    consecutiveErrorLimit: limit,
    consecutiveSuccessLimit: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    count: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    minSamples: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  })
  .map(
    (chosen) =>
      Object.fromEntries(
        Object.entries(chosen).filter(([, value]) => value !== undefined),
      ) as unknown as AnalysisLimits,
  );

export const outcomes = (states: readonly Finished[]): MeasurementOutcome[] =>
  states.map((state) => ({ state }));

export const verdict = (
  states: readonly Finished[],
  of: AnalysisLimits,
  ended = false,
): AnalysisResult => analysisVerdict({ measurements: outcomes(states), limits: of, ended });

export const count = (states: readonly Finished[], ...wanted: readonly Finished[]): number =>
  states.filter((state) => wanted.includes(state)).length;

/** The longest row of these states, counted by cutting the run at all others. */
export const longestRow = (states: readonly Finished[], ...wanted: readonly Finished[]): number =>
  Math.max(
    0,
    ...states
      .map((state) => (wanted.includes(state) ? 'x' : ' '))
      .join('')
      .split(' ')
      .map((row) => row.length),
  );

const silence = (states: readonly Finished[]): number => longestRow(states, 'error', 'no-data');

/** A run under some limits, over or not. */
export const anyRun = fc.record({ states: runOf(finished), limits, ended: fc.boolean() });
type AnyRun = typeof anyRun extends fc.Arbitrary<infer R> ? R : never;

/** Checks 200 runs to which the row applies; fails if so many cannot be found. */
export const holdsWhere = (
  applies: (run: AnyRun) => boolean,
  check: (run: AnyRun) => void,
): void => {
  fc.assert(
    fc.property(anyRun, (run) => {
      fc.pre(applies(run));
      check(run);
    }),
    { numRuns: 200, maxSkipsPerRun: 2_000 },
  );
};

export const failedOver = ({ states, limits: { failureLimit } }: AnyRun): boolean =>
  failureLimit >= 0 && count(states, 'failed') > failureLimit;
export const inconclusiveOver = ({ states, limits: { inconclusiveLimit } }: AnyRun): boolean =>
  count(states, 'inconclusive') > inconclusiveLimit;
export const silentOver = ({ states, limits: { consecutiveErrorLimit } }: AnyRun): boolean =>
  silence(states) > consecutiveErrorLimit;
export const stopped = (run: AnyRun): boolean =>
  failedOver(run) || inconclusiveOver(run) || silentOver(run);
