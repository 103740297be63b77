import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { normalCdf, normalQuantile } from '../../../domain/statistics/normal-distribution.ts';

/** Relative, because a tail of 1e-89 that is off by 1e-16 is not right. */
const relativeError = (value: number, expected: number): number =>
  Math.abs(value - expected) / Math.abs(expected);

describe('the normal distribution', () => {
  // scipy.stats.norm.cdf, SciPy 1.17.1
  test.each([
    [-37, 5.7255712225239266e-300],
    [-20, 2.7536241186061556e-89],
    [-10, 7.61985302416047e-24],
    [-5, 2.866515718791933e-7],
    [-3.0001, 0.0013494549132607172],
    [-2.9999, 0.001350341282954925],
    [-1, 0.15865525393145707],
    [0, 0.5],
    [1, 0.8413447460685429],
    [3.0001, 0.9986505450867392],
  ])('P(Z ≤ %d)', (z, probability) => {
    expect(relativeError(normalCdf(z), probability)).toBeLessThan(1e-12);
  });

  // scipy.stats.norm.ppf, SciPy 1.17.1
  test.each([
    [1e-300, -37.0470962993612],
    [1e-20, -9.262340089798409],
    [1e-5, -4.264890793922825],
    [0.01, -2.3263478740408408],
    [0.3, -0.5244005127080409],
    [0.9, 1.2815515655446004],
    [0.999999, 4.753424308817087],
  ])('the quantile of %d', (probability, z) => {
    expect(relativeError(normalQuantile(probability), z)).toBeLessThan(1e-12);
  });

  test('has no quantile outside 0 to 1', () => {
    for (const probability of [0, 1, -0.1, 1.1, Number.NaN]) {
      expect(() => normalQuantile(probability)).toThrow(RangeError);
    }
  });

  test('cdf grows from 0 to 1, and the two halves mirror each other', () => {
    expect(normalCdf(-Infinity)).toBe(0);
    expect(normalCdf(Infinity)).toBe(1);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 30, noNaN: true }), (z) => {
        expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 14);
        expect(normalCdf(z)).toBeGreaterThanOrEqual(normalCdf(z - 0.1));
      }),
    );
  });
});
