import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ascending } from '../../../domain/statistics/ascending.ts';
import { hodgesLehmann } from '../../../domain/statistics/hodges-lehmann.ts';
import { mannWhitneyZ } from '../../../domain/statistics/mann-whitney.ts';
import { orderedDifference } from '../../../domain/statistics/ordered-difference.ts';
import { sampleFloor, twoSidedCriticalValue } from '../../../domain/statistics/sample-floor.ts';
import { nonEmptySeries } from './random-series.ts';

const pairOf = (control: readonly number[], experiment: readonly number[]) => ({
  control: ascending(control),
  experiment: ascending(experiment),
});

// Permeability of membranes, Hollander and Wolfe, Nonparametric Statistical Methods, table 4.1.
const membranes = pairOf(
  [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
  [1.15, 0.88, 0.9, 0.74, 1.21],
);
const withTies = pairOf([1, 2, 2, 3, 3, 3, 4, 5, 5, 6], [2, 3, 4, 4, 5, 6, 6, 7, 8, 8, 9]);

describe('Mann–Whitney', () => {
  // scipy.stats.mannwhitneyu(method='asymptotic', use_continuity=True), SciPy 1.17.1
  test('agrees with SciPy, with and without ties', () => {
    expect(mannWhitneyZ(membranes)).toBeCloseTo(-1.16350762782201, 12);
    expect(mannWhitneyZ(withTies)).toBeCloseTo(2.202345900398096, 12);
    expect(mannWhitneyZ(pairOf([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]))).toBeCloseTo(
      2.5067182457620487,
      12,
    );
  });

  test('is exactly 0 for identical series and for one value only', () => {
    fc.assert(
      fc.property(nonEmptySeries, (series) => {
        expect(mannWhitneyZ(pairOf(series, series))).toBe(0);
        expect(mannWhitneyZ(pairOf([7, 7, 7], [7, 7, 7, 7]))).toBe(0);
      }),
    );
  });

  test('changes its sign, and nothing else, when the sides are swapped', () => {
    fc.assert(
      fc.property(nonEmptySeries, nonEmptySeries, (one, other) => {
        expect(mannWhitneyZ(pairOf(one, other)) + mannWhitneyZ(pairOf(other, one))).toBe(0);
      }),
    );
  });
});

describe('Hodges–Lehmann', () => {
  // Differences written out and sorted with NumPy 2.4.6; k is 8, 27 and 21 of 50, 110 and 110.
  test.each([
    [membranes, 0.95, -0.305, -0.76, 0.17],
    [withTies, 0.95, 2, 0, 4],
    [withTies, 0.98, 2, 0, 5],
  ])('shift and interval', (pair, confidence, ...[estimate, lower, upper]) => {
    const shift = hodgesLehmann(pair, twoSidedCriticalValue(confidence));
    expect(shift.estimate).toBeCloseTo(estimate, 12);
    expect(shift.lower).toBeCloseTo(lower, 12);
    expect(shift.upper).toBeCloseTo(upper, 12);
  });

  test('the interval is the whole range at the sample floor', () => {
    const shift = hodgesLehmann(pairOf([1, 2, 3], [10, 20, 30]), twoSidedCriticalValue(0.9));
    expect(shift).toEqual({ estimate: 18, lower: 7, upper: 29 });
  });

  test('each ordered difference is the one that sorting all of them gives', () => {
    const wide = fc.array(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), {
      minLength: 1,
      maxLength: 12,
    });
    const side = fc.oneof(nonEmptySeries, wide);
    fc.assert(
      fc.property(side, side, fc.nat(), (control, experiment, chosen) => {
        const pair = pairOf(control, experiment);
        const all = ascending(experiment.flatMap((value) => control.map((other) => value - other)));
        const rank = 1 + (chosen % all.length);
        // The two zeros are one value.
        expect(orderedDifference(pair, rank) === all[rank - 1]).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('ten thousand samples a side need no hundred million differences', () => {
    const control = Array.from({ length: 10_000 }, (_, index) => Math.sin(index));
    const pair = pairOf(
      control,
      control.map((value) => value + 0.25),
    );
    expect(hodgesLehmann(pair, 2.326).estimate).toBeCloseTo(0.25, 12);
  });
});

describe('the sample floor', () => {
  test.each([
    [0.9, 3],
    [0.95, 4],
    [0.98, 5],
    [0.99, 6],
    [0.999, 8],
  ])('at %d is %d samples a side', (confidence, samples) => {
    expect(sampleFloor(confidence)).toBe(samples);
  });

  test('is the fewest samples with which the test can be significant', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 0.99999, noNaN: true }), (confidence) => {
        const separated = (samples: number): number => {
          const low = Array.from({ length: samples }, (_, index) => index);
          return mannWhitneyZ(
            pairOf(
              low,
              low.map((value) => value + samples),
            ),
          );
        };
        const floor = sampleFloor(confidence);
        expect(separated(floor)).toBeGreaterThanOrEqual(twoSidedCriticalValue(confidence));
        expect(separated(floor - 1)).toBeLessThan(twoSidedCriticalValue(confidence));
      }),
    );
  });

  test('there is none for certainty', () => {
    expect(() => sampleFloor(1)).toThrow(RangeError);
  });
});
