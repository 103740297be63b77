import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Proportion } from '../../../domain/statistics/fisher-mid-p.ts';
import { fisherMidP } from '../../../domain/statistics/fisher-mid-p.ts';
import type { ProportionComparison } from '../../../domain/statistics/judge-proportions.ts';
import { judgeProportions } from '../../../domain/statistics/judge-proportions.ts';

const of = (events: number, trials: number): Proportion => ({ events, trials });

const judge = (
  control: Proportion,
  experiment: Proportion,
  changes: Partial<ProportionComparison> = {},
) => judgeProportions({ direction: 'either', confidence: 0.98, ...changes, control, experiment });

const proportion = fc
  .tuple(fc.nat(400), fc.nat(400))
  .map(([one, other]) => of(Math.min(one, other), Math.max(one, other)));

describe('Fisher’s test with mid-p', () => {
  // hypergeom.sf(x) + hypergeom.pmf(x) / 2 and its mirror, SciPy 1.17.1
  test.each([
    [of(9, 9_000), of(5, 1_000), 0.005318814869251688, 0.9946811851307483],
    [of(2, 15), of(5, 10), 0.034324942791762014, 0.965675057208238],
    [of(0, 9_000), of(3, 1_000), 0.0004986505852025492, 0.9995013494147975],
    [of(120, 40_000), of(180, 40_000), 0.00025499495662909477, 0.999745005043371],
    [of(5_000, 500_000), of(5_300, 500_000), 0.0014823794507795838, 0.9985176205490498],
    [of(3, 8), of(8, 8), 0.006410256410256411, 0.9935897435897436],
    [of(0, 20), of(0, 20), 0.5, 0.5],
    [of(20, 20), of(20, 20), 0.5, 0.5],
  ])('%j beside %j', (control, experiment, ...[above, below]) => {
    const tails = fisherMidP({ control, experiment });
    expect(Math.abs(tails.above / above - 1)).toBeLessThan(1e-8);
    expect(Math.abs(tails.below / below - 1)).toBeLessThan(1e-8);
  });

  test('the tails are one, and swap with the sides', () => {
    fc.assert(
      fc.property(proportion, proportion, (control, experiment) => {
        const tails = fisherMidP({ control, experiment });
        const swapped = fisherMidP({ control: experiment, experiment: control });
        expect(tails.above + tails.below).toBeCloseTo(1, 12);
        expect(swapped.below).toBeCloseTo(tails.above, 12);
      }),
    );
  });
});

describe('the verdict on two ratios', () => {
  test('says which numbers led to it', () => {
    expect(judge(of(9, 9_000), of(10, 1_000))).toEqual({
      verdict: 'high',
      because: 'significant',
      samples: { control: 9_000, experiment: 1_000 },
      rates: { control: 0.001, experiment: 0.01 },
      tail: expect.closeTo(2.07e-6, 8),
      level: expect.closeTo(0.01, 12),
      effect: expect.closeTo(9, 9),
    });
  });

  test('equal rates are the same, and few errors among few requests prove nothing', () => {
    expect(judge(of(90, 9_000), of(10, 1_000)).verdict).toBe('same');
    expect(judge(of(0, 9_000), of(0, 1_000)).verdict).toBe('same');
    expect(judge(of(0, 9_000), of(1, 1_000)).verdict).toBe('same');
    expect(judge(of(0, 30), of(2, 30)).verdict).toBe('same');
  });

  test('one failure among a handful is below the floor, whatever the control shows', () => {
    expect(judge(of(0, 9_000), of(1, 1))).toMatchObject({
      verdict: 'inconclusive',
      because: 'too-few-samples',
      sampleFloor: 5,
    });
    expect(judge(of(0, 0), of(0, 0)).verdict).toBe('inconclusive');
  });

  test('weighs counts and not rates: the same rates with more requests are proof', () => {
    expect(judge(of(1, 100), of(3, 100)).verdict).toBe('same');
    expect(judge(of(100, 10_000), of(300, 10_000)).verdict).toBe('high');
    expect(judge(of(300, 10_000), of(100, 10_000)).verdict).toBe('low');
  });

  test('an undefined effect is ignored, a small one is the same', () => {
    const threshold = { effectThreshold: 1 };
    expect(judge(of(0, 9_000), of(9, 1_000), threshold)).toMatchObject({
      verdict: 'high',
      effect: null,
    });
    expect(judge(of(10_000, 100_000), of(12_000, 100_000), threshold)).toMatchObject({
      verdict: 'same',
      because: 'effect-below-threshold',
    });
  });

  test('an increase that Prometheus has extrapolated is counted in whole events', () => {
    expect(judge(of(8.6, 8_999.7), of(10.2, 1_000.4))).toEqual(judge(of(9, 9_000), of(10, 1_000)));
  });

  test('impossible counts are no evidence', () => {
    for (const broken of [of(-1, 10), of(11, 10), of(Number.NaN, 10), of(1, Infinity)]) {
      expect(judge(of(9, 9_000), broken)).toMatchObject({
        verdict: 'inconclusive',
        because: 'unusable-samples',
      });
    }
  });

  test('swapping the sides turns high into low', () => {
    const mirrored = { high: 'low', low: 'high', same: 'same', inconclusive: 'inconclusive' };
    fc.assert(
      fc.property(proportion, proportion, (one, other) => {
        expect(judge(other, one).verdict).toBe(mirrored[judge(one, other).verdict]);
      }),
    );
  });

  test('a first look of many asks for more than a single one', () => {
    const sides = [of(9, 9_000), of(6, 1_000)] as const;
    expect(judge(...sides).verdict).toBe('high');
    expect(judge(...sides, { looks: [0.1] }).verdict).toBe('same');
  });
});
