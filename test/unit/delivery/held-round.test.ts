import { describe, expect, test } from '@jest/globals';
import { longestHeldWindowMs, nextHeldRoundMs } from '../../../domain/delivery/held-round.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** Events of a round: each window is an activity, each look at a metric a timer and two queries. */
const eventsOf = (roundMs: number, metrics: number): number =>
  6 * Math.ceil(roundMs / longestHeldWindowMs) + 3 * 14 * metrics;

/** Lengths of the rounds of a hold, and the length of the history at its end. */
const held = (forMs: number, metrics: number): { roundsMs: number[]; events: number } => {
  const roundsMs: number[] = [];
  let events = 300;
  let heldForMs = 0;
  let lastRoundEvents = 0;
  while (heldForMs < forMs) {
    const roundMs = nextHeldRoundMs(minuteMs, {
      heldForMs,
      historyEvents: events,
      lastRoundEvents,
    });
    lastRoundEvents = eventsOf(roundMs, metrics);
    events += lastRoundEvents;
    heldForMs += roundMs;
    roundsMs.push(roundMs);
  }
  return { roundsMs, events };
};

describe('rounds of judging at a held weight', () => {
  test.each([0, 1, 3, 8])(
    'a hold of 24 hours with %i metrics stays below 2,000 events',
    (metrics) => {
      expect(held(24 * hourMs, metrics).events).toBeLessThan(2_000);
    },
  );

  test('a weekend fits too', () => {
    expect(held(60 * hourMs, 0).events).toBeLessThan(2_000);
  });

  test('begin short, and are a few minutes long on the first day', () => {
    const { roundsMs } = held(8 * hourMs, 0);
    expect(roundsMs.slice(0, 3)).toEqual([minuteMs, minuteMs, 2 * minuteMs]);
    expect(Math.max(...roundsMs)).toBeLessThan(10 * minuteMs);
  });

  test('never are shorter than a verdict needs', () => {
    const seen = { heldForMs: 0, historyEvents: 300, lastRoundEvents: 6 };
    expect(nextHeldRoundMs(5 * minuteMs, seen)).toBe(5 * minuteMs);
  });

  test('go on within a day where the budget is used up', () => {
    const spent = { heldForMs: 200 * hourMs, historyEvents: 5_000, lastRoundEvents: 300 };
    expect(nextHeldRoundMs(minuteMs, spent)).toBe(24 * hourMs);
  });
});
