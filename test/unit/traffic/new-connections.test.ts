import { describe, expect, test } from '@jest/globals';
import { isNewConnection } from '../../../activities/traffic/http-exchange.ts';

const turns = (count: number): number[] =>
  Array.from({ length: count }, (_none, index) => index + 1);

const newOf = (share: number, which: readonly number[]): number =>
  which.filter((turn) => isNewConnection(turn, share)).length;

describe('the share of new connections', () => {
  test.each([1, 10, 50, 90])('of %i %% is right to two after any number of requests', (share) => {
    for (const count of [10, 100, 999, 30_000]) {
      const wanted = (count * share) / 100;
      expect(Math.abs(newOf(share, turns(count)) - wanted)).toBeLessThanOrEqual(2);
    }
  });

  test('may be none or all', () => {
    expect(newOf(0, turns(1_000))).toBe(0);
    expect(newOf(100, turns(1_000))).toBe(1_000);
  });

  test.each([2, 3, 10, 20, 100])('is the same among every %ith request', (period) => {
    const dealt = turns(200).map((turn) => turn * period);
    expect(Math.abs(newOf(50, dealt) - 100)).toBeLessThanOrEqual(5);
  });
});
