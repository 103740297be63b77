import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { criticalValue } from '../../../domain/statistics/critical-value.ts';
import {
  evenLooks,
  sequentialCriticalValues,
} from '../../../domain/statistics/sequential-boundary.ts';

const expectClose = (values: readonly number[], expected: readonly number[]): void => {
  expect(values).toHaveLength(expected.length);
  values.forEach((value, index) => expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 4));
};

describe('the critical values of repeated looks', () => {
  // An independent recursion in NumPy/SciPy: trapezoid rule of 6,001 nodes, Brent's root.
  test('are right for another spending function, of Pocock shape at 5 %', () => {
    const spent = (share: number): number => 0.05 * Math.log(1 + (Math.E - 1) * share);
    expectClose(
      sequentialCriticalValues([0.2, 0.4, 0.6, 0.8, 1], spent),
      [2.43798, 2.42681, 2.41019, 2.39665, 2.38598],
    );
  });

  test.each([
    [
      [0.25, 0.5, 0.75, 1],
      [3.02334, 2.79221, 2.64135, 2.52022],
    ],
    [
      [0.1, 0.4, 0.5, 1],
      [3.4173, 2.84034, 2.88206, 2.43315],
    ],
    [
      [0.995, 1],
      [2.32917, 2.42178],
    ],
  ])('at 98 %% for looks at %j', (looks, expected) => {
    expectClose(
      looks.map((_, index) =>
        criticalValue({ confidence: 0.98, looks: looks.slice(0, index + 1) }),
      ),
      expected,
    );
  });

  test('one look at all samples is the plain test', () => {
    expect(criticalValue({ confidence: 0.98, looks: [1] })).toBeCloseTo(2.3263478740408408, 9);
    expect(criticalValue({ confidence: 0.98 })).toBeCloseTo(2.3263478740408408, 12);
  });

  test('no look is easier to pass than the plain test, and each looks back only', () => {
    const looks = fc
      .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 })
      .map((shares) => shares.sort((a, b) => a - b).map((share) => share / 100));
    fc.assert(
      fc.property(looks, (shares) => {
        const all = sequentialCriticalValues(shares, (share) => 0.02 * share ** 1.5);
        const first = sequentialCriticalValues(shares.slice(0, 1), (share) => 0.02 * share ** 1.5);
        expect(all[0]).toBe(first[0]);
        expect(all.every((value) => value > 2.3263)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('looks that crowd cost more than they need, and never less', () => {
    const crowded = [0.5, 0.501, 0.502, 1];
    const spent = (share: number): number => 0.02 * share ** 1.5;
    const [, second, third, last] = sequentialCriticalValues(crowded, spent);
    const [, alone] = sequentialCriticalValues([0.5, 1], spent);
    expect(second).toBeGreaterThan(4);
    expect(third).toBeGreaterThan(4);
    expect(last).toBeCloseTo(alone ?? Number.NaN, 2);
    expect(last).toBeGreaterThan(alone ?? Number.NaN);
  });

  test('a look after the plan, or at nothing new, finds nothing', () => {
    for (const looks of [
      [0.5, 0.5],
      [0.5, 0.4],
      [1, 1],
      [1, 1.1],
      [0.5, 1, 3],
    ]) {
      expect(criticalValue({ confidence: 0.98, looks })).toBeGreaterThan(36);
    }
  });

  test('no looks at all are the plain test', () => {
    expect(criticalValue({ confidence: 0.98, looks: [] })).toBe(
      criticalValue({ confidence: 0.98 }),
    );
  });

  test('even looks', () => {
    expect(evenLooks(3, 4)).toEqual([0.25, 0.5, 0.75]);
  });
});
