import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { falseAlarmLevel, isSurelyAbove } from '../../../domain/statistics/surely-above.ts';

/**
 * Exact chance that a sequence of this true ratio is called above the limit at any of its first
 * `trials` looks: the probability of each count of events among the sequences not called so far.
 */
const chanceOfAlarm = (limit: number, trueRatio: number, trials: number): number => {
  let quiet = [1];
  let alarmed = 0;
  for (let made = 1; made <= trials; made += 1) {
    const next = Array.from({ length: quiet.length + 1 }, (_, events) => {
      const [fewer, same] = [quiet[events - 1] ?? 0, quiet[events] ?? 0];
      return fewer * trueRatio + same * (1 - trueRatio);
    });
    quiet = next.map((probability, events) => {
      if (!isSurelyAbove(limit, { events, trials: made })) return probability;
      alarmed += probability;
      return 0;
    });
    while (quiet.length > 1 && quiet.at(-1) === 0) quiet.pop();
  }
  return alarmed;
};

describe('a ratio that is surely above its limit', () => {
  test.each([
    ['0.1 %', 0.001],
    ['1 %', 0.01],
    ['5 %', 0.05],
    ['20 %', 0.2],
    ['50 %', 0.5],
    ['90 %', 0.9],
  ])('is claimed of a true ratio at a limit of %s no more often than promised', (_, limit) => {
    expect(chanceOfAlarm(limit, limit, 2_000)).toBeLessThanOrEqual(falseAlarmLevel);
    expect(chanceOfAlarm(limit, limit / 2, 2_000)).toBeLessThan(falseAlarmLevel / 5);
  });

  test('is found in nearly every sequence of ten times the limit, and soon', () => {
    expect(chanceOfAlarm(0.01, 0.1, 60)).toBeGreaterThan(0.8);
    expect(chanceOfAlarm(0.01, 0.1, 150)).toBeGreaterThan(0.98);
  });

  test('is never claimed without an event, of a limit of everything, or below the limit', () => {
    const counts = fc
      .tuple(fc.nat(2_000), fc.nat(2_000))
      .map(([events, others]) => ({ events, trials: events + others }));
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), counts, (limit, seen) => {
        const { events, trials } = seen;
        return !isSurelyAbove(limit, seen) || (events > 0 && limit < 1 && events > limit * trials);
      }),
    );
    expect(isSurelyAbove(1, { events: 50, trials: 50 })).toBe(false);
  });

  test('is claimed at the first event where none is allowed', () => {
    expect(isSurelyAbove(0, { events: 1, trials: 1_000 })).toBe(true);
    expect(isSurelyAbove(0, { events: 0, trials: 1_000 })).toBe(false);
  });
});
