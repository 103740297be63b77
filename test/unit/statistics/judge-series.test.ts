import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SeriesComparison } from '../../../domain/statistics/judge-series.ts';
import { judgeSeries } from '../../../domain/statistics/judge-series.ts';
import { evenLooks } from '../../../domain/statistics/sequential-boundary.ts';
import { measureDetection } from '../../../scripts/judge/detection-table.ts';
import { measureInvariance } from '../../../scripts/judge/invariance.ts';
import { seededGenerator } from '../../../scripts/judge/seeded-generator.ts';
import { anySeries, judgeableSeries } from './random-series.ts';

const rule = { direction: 'either', confidence: 0.98, tolerance: 0.25 } as const;

const judge = (
  control: readonly number[],
  experiment: readonly number[],
  changes: Partial<SeriesComparison> = {},
) => judgeSeries({ ...rule, ...changes, control, experiment });

const low = [10, 11, 12, 13, 14, 15, 16, 17];
const raised = low.map((value) => value + 20);
const zeros = Array.from({ length: 60 }, () => 0);

describe('I-13 the judge', () => {
  test('I-13 scale invariance: the unit of both series does not change the verdict', () => {
    fc.assert(
      fc.property(
        judgeableSeries,
        judgeableSeries,
        fc.constantFrom(1e-9, 1e-6, 1e-3, 1e3),
        fc.constantFrom(undefined, 0, 0.05, 0.5),
        (control, experiment, ...[factor, effectThreshold]) => {
          const changes = effectThreshold === undefined ? {} : { effectThreshold };
          const plain = judge(control, experiment, changes);
          const scaled = judge(
            control.map((value) => value * factor),
            experiment.map((value) => value * factor),
            changes,
          );
          expect([scaled.verdict, scaled.because]).toEqual([plain.verdict, plain.because]);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test.each([
    [
      [10, 11, 11, 12, 12, 13, 14, 15, 15],
      [15, 15, 16, 17, 18, 18],
      { tolerance: 0.25, lower: 1, estimate: 4 },
    ],
    [
      [10, 11, 11, 12, 13, 13, 14, 15],
      [16, 17, 18, 19, 19, 19, 20],
      { tolerance: 0.5, lower: 3, estimate: 6 },
    ],
    [
      [10, 12, 14, 14, 14],
      [16, 16, 17, 18, 19, 19, 19, 20, 21],
      { tolerance: 0.4, lower: 2, estimate: 5 },
    ],
  ])(
    'I-13 scale invariance holds where the bound is the tolerance exactly: %j and %j',
    (control, experiment, { tolerance, ...shift }) => {
      expect(judge(control, experiment, { tolerance })).toMatchObject({ shift });
      // In other units one of the two is greater by a last bit.
      for (const factor of [1, 1e-9, 1e-6, 1e-3, 1e3]) {
        const judgement = judge(
          control.map((value) => value * factor),
          experiment.map((value) => value * factor),
          { tolerance },
        );
        expect(judgement.because).toBe('within-tolerance');
      }
    },
  );

  test('I-13 permutation invariance: the order of the samples changes no number at all', () => {
    const shuffled = (series: number[]) =>
      fc.shuffledSubarray(series, { minLength: series.length, maxLength: series.length });
    const withOrders = fc
      .tuple(judgeableSeries, judgeableSeries)
      .chain(([control, experiment]) =>
        fc.tuple(fc.constant({ control, experiment }), shuffled(control), shuffled(experiment)),
      );
    fc.assert(
      fc.property(withOrders, ([{ control, experiment }, otherControl, otherExperiment]) => {
        expect(judge(otherControl, otherExperiment)).toEqual(judge(control, experiment));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    [0.9, 3],
    [0.95, 4],
    [0.98, 5],
    [0.99, 6],
    [0.999, 8],
  ])('I-13 sample floor: at %d fewer than %d a side are inconclusive', (confidence, floor) => {
    const side = (samples: number, from: number): number[] =>
      Array.from({ length: samples }, (_, index) => from + index);
    const verdict = (control: number, experiment: number) =>
      judge(side(control, 0), side(experiment, 1_000), { confidence });
    expect(verdict(floor, floor).verdict).toBe('high');
    for (const few of [verdict(floor - 1, 500), verdict(500, floor - 1), verdict(0, 0)]) {
      expect(few).toMatchObject({
        verdict: 'inconclusive',
        because: 'too-few-samples',
        sampleFloor: floor,
      });
    }
  });

  test('I-13 sample floor: whatever the samples, too few are never the same', () => {
    fc.assert(
      fc.property(anySeries, anySeries, (control, experiment) => {
        const isInconclusive = judge(control, experiment).verdict === 'inconclusive';
        expect(isInconclusive).toBe(Math.min(control.length, experiment.length) < 5);
      }),
    );
  });

  test('I-13 on seeded series: every verdict occurs and none changes', () => {
    const { verdicts, changed } = measureInvariance(seededGenerator(13n));
    expect(Object.keys(verdicts).sort()).toEqual(['high', 'low', 'same']);
    expect(changed.map(({ verdicts: count }) => count)).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('the verdict on two series', () => {
  test('identical series are the same', () => {
    fc.assert(
      fc.property(judgeableSeries, (series) => {
        expect(judge(series, series)).toMatchObject({ verdict: 'same', z: 0 });
      }),
    );
  });

  test('swapping the sides turns high into low', () => {
    const mirrored = { high: 'low', low: 'high', same: 'same', inconclusive: 'inconclusive' };
    fc.assert(
      fc.property(anySeries, anySeries, (one, other) => {
        expect(judge(other, one).verdict).toBe(mirrored[judge(one, other).verdict]);
      }),
    );
  });

  test('says which numbers led to it', () => {
    expect(judge(low, raised)).toEqual({
      verdict: 'high',
      because: 'significant',
      samples: { control: 8, experiment: 8 },
      z: expect.closeTo(3.3082, 3),
      criticalValue: expect.closeTo(2.3263, 3),
      shift: { estimate: 20, lower: 16, upper: 24 },
      effect: expect.closeTo(20 / 13.5, 9),
    });
  });

  test.each([
    ['increase', 'high', 'same'],
    ['decrease', 'same', 'low'],
    ['either', 'high', 'low'],
  ] as const)('judging %s, a rise is %s and a fall %s', (direction, rise, fall) => {
    expect(judge(low, raised, { direction }).verdict).toBe(rise);
    expect(judge(raised, low, { direction }).verdict).toBe(fall);
  });

  test('a change below the threshold does not count, one that reaches it does', () => {
    const tenPercent = low.map((value) => value * 1.1 + 1e-3 * value);
    const many = (series: readonly number[]) => Array.from({ length: 9 }, () => series).flat();
    const changes = (effectThreshold: number) => ({ effectThreshold, tolerance: 0 });
    expect(judge(many(low), many(tenPercent), changes(0.1)).verdict).toBe('high');
    expect(judge(many(low), many(tenPercent), changes(0.2))).toMatchObject({
      verdict: 'same',
      because: 'effect-below-threshold',
    });
  });

  test.each([0.1, 0.3, 0.5])(
    'a change of exactly the threshold, %d, counts in every unit',
    (effectThreshold) => {
      const control = Array.from({ length: 9 }, () => low).flat();
      for (const factor of [1, 1e-9, 1e-6, 1e-3, 1e3]) {
        const experiment = control.map((value) => value * (1 + effectThreshold) * factor);
        const inUnit = control.map((value) => value * factor);
        const changes = { effectThreshold, tolerance: 0 };
        expect(judge(inUnit, experiment, changes).verdict).toBe('high');
      }
    },
  );

  test('an effect that is undefined, because the control is 0, is ignored and fails nothing', () => {
    const some = zeros.map((_, index) => index + 1);
    const changes = { effectThreshold: 0.05 };
    expect(judge(zeros, zeros, changes)).toMatchObject({ verdict: 'same', effect: null });
    expect(judge(zeros, some, changes)).toMatchObject({ verdict: 'high', effect: null });
  });

  test('a shift of 0 among mostly equal values leaves the decision to the ranks', () => {
    const halfOnes = zeros.map((_, index) => (index % 5 < 2 ? 1 : 0));
    expect(judge(zeros, halfOnes)).toMatchObject({
      verdict: 'high',
      shift: { estimate: 0 },
    });
  });

  test('a wide interval is within the tolerance', () => {
    const control = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const experiment = [4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((value) => value + 2);
    expect(judge(control, experiment, { tolerance: 0 }).verdict).toBe('high');
    expect(judge(control, experiment, { tolerance: 0.9 })).toMatchObject({
      verdict: 'same',
      because: 'within-tolerance',
    });
  });

  test('a sample that is no finite number is no evidence for anything', () => {
    for (const broken of [Number.NaN, Infinity, -Infinity]) {
      expect(judge(low, [...raised, broken])).toMatchObject({
        verdict: 'inconclusive',
        because: 'unusable-samples',
      });
    }
  });

  test('an early look of many asks for more than the last one', () => {
    const [few, more] = [low.slice(0, 5), raised.slice(0, 5)];
    expect(judge(few, more).verdict).toBe('high');
    expect(judge(few, more, { looks: evenLooks(1, 10) })).toMatchObject({
      verdict: 'same',
      because: 'not-significant',
    });
  });
});

test('the detection table holds within 5 points', () => {
  const cells = measureDetection(seededGenerator(4n), (samples) => (samples > 10 ? 600 : 2_500));
  const off = cells.filter(
    ({ expectedPercent, measuredPercent }) => Math.abs(expectedPercent - measuredPercent) > 5,
  );
  expect(cells).toHaveLength(25);
  expect(off).toEqual([]);
});
