import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SeriesPlan } from '../../../domain/statistics/detectable-change.ts';
import { detectableChange } from '../../../domain/statistics/detectable-change.ts';
import { detectableRate } from '../../../domain/statistics/detectable-rate.ts';
import { logSpread } from '../../../domain/statistics/log-spread.ts';
import { evenLooks } from '../../../domain/statistics/sequential-boundary.ts';
import { seededGenerator } from '../../../scripts/judge/seeded-generator.ts';
import { latencies } from '../../../scripts/judge/simulated-series.ts';
import { measureStatedPower } from '../../../scripts/judge/stated-power.ts';

const plan: SeriesPlan = {
  samples: { control: 10, experiment: 10 },
  logSpread: 0.3,
  confidence: 0.98,
  tolerance: 0.25,
  direction: 'increase',
};

const ofSize = (samples: number): SeriesPlan => ({
  ...plan,
  samples: { control: samples, experiment: samples },
});

describe('what a step can see', () => {
  test('is found in 85 to 95 of 100 simulated steps', () => {
    const stated = measureStatedPower(seededGenerator(90n));
    expect(stated).toHaveLength(5);
    for (const { measuredPercent } of stated) {
      expect(measuredPercent).toBeGreaterThan(85);
      expect(measuredPercent).toBeLessThan(95);
    }
  });

  test('ten minutes at one sample a minute see a doubling, an hour sees a third', () => {
    expect(detectableChange(plan)).toBeCloseTo(1, 1);
    expect(detectableChange(ofSize(60))).toBeCloseTo(0.28, 1);
  });

  test('shrinks with more samples and less spread, and grows with more looks', () => {
    const change = (of: SeriesPlan): number => detectableChange(of) ?? Infinity;
    fc.assert(
      fc.property(
        fc.integer({ min: 6, max: 80 }),
        fc.double({ min: 0.05, max: 0.8, noNaN: true }),
        (samples, spread) => {
          const here = { ...ofSize(samples), logSpread: spread };
          expect(change({ ...here, ...ofSize(2 * samples), logSpread: spread })).toBeLessThan(
            change(here),
          );
          expect(change({ ...here, logSpread: spread / 2 })).toBeLessThan(change(here));
          expect(change({ ...here, looks: evenLooks(4, 4) })).toBeGreaterThanOrEqual(change(here));
        },
      ),
      { numRuns: 20 },
    );
  });

  test('a fall seen from one side is a rise seen from the other', () => {
    const samples = { control: 12, experiment: 30 };
    const rise = detectableChange({ ...plan, samples }) ?? Number.NaN;
    const fall = detectableChange({
      ...plan,
      samples: { control: 30, experiment: 12 },
      direction: 'decrease',
    });
    expect(fall).toBeCloseTo(1 - 1 / (1 + rise), 9);
  });

  test('nothing is seen below the sample floor', () => {
    expect(detectableChange(ofSize(4))).toBeUndefined();
    const few = { trials: { control: 9_000, experiment: 4 }, controlRate: 0.01 };
    expect(detectableRate({ ...plan, ...few })).toBeUndefined();
  });

  test('a rate: 9,000 and 1,000 requests see one error in a thousand become nine', () => {
    const trials = { control: 9_000, experiment: 1_000 };
    const rate = { ...plan, trials, controlRate: 0.001 };
    expect(detectableRate(rate)).toBeCloseTo(0.0087, 4);
    expect(detectableRate({ ...rate, controlRate: 0 })).toBeGreaterThan(0);
    expect(detectableRate({ ...rate, direction: 'decrease' })).toBeUndefined();
    const success = { ...rate, controlRate: 0.999, direction: 'decrease' as const };
    expect(detectableRate(success)).toBeCloseTo(1 - 0.0087, 4);
    expect(detectableRate({ ...rate, controlRate: 1 })).toBeUndefined();
  });
});

describe('the spread of a series', () => {
  test('is that of its logarithms, in any unit', () => {
    const series = latencies(seededGenerator(3n), { samples: 5_000, median: 0.12, spread: 0.3 });
    expect(logSpread(series)).toBeCloseTo(0.3, 1);
    expect(logSpread(series.map((value) => 1e3 * value))).toBeCloseTo(logSpread(series) ?? 0, 9);
    expect(logSpread([Math.E, Math.E ** 3])).toBeCloseTo(Math.SQRT2, 12);
  });

  test('is unknown for one sample and where a sample has no logarithm', () => {
    for (const series of [[], [1], [1, 0], [1, -1], [1, Number.NaN], [1, Infinity]]) {
      expect(logSpread(series)).toBeUndefined();
    }
  });
});
