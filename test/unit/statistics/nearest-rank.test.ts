import { describe, expect, it } from '@jest/globals';
import { nearestRank } from '../../../domain/statistics/nearest-rank.ts';

describe('a percentile by nearest rank', () => {
  it.each([
    { values: [15, 20, 35, 40, 50], percent: 30, rank: 20 },
    { values: [15, 20, 35, 40, 50], percent: 40, rank: 20 },
    { values: [15, 20, 35, 40, 50], percent: 50, rank: 35 },
    { values: [15, 20, 35, 40, 50], percent: 100, rank: 50 },
    { values: [7], percent: 99, rank: 7 },
    { values: [1, 2], percent: 0.1, rank: 1 },
  ])('of $values at $percent % is $rank', ({ values, percent, rank }) => {
    expect(nearestRank(values, percent)).toBe(rank);
  });

  it('of no values is nothing', () => {
    expect(nearestRank([], 50)).toBeUndefined();
  });
});
