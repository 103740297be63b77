import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  budgetWarning,
  judgeBudget,
  plannedExposure,
  restWithin,
  windowWithin,
} from '../../../domain/delivery/exposure-budget.ts';
import type { BudgetCount } from '../../../domain/delivery/exposure-budget.ts';

const count = (more: Partial<BudgetCount> = {}): BudgetCount => ({
  name: 'exposed',
  source: 'prober',
  value: 0,
  max: 100,
  silentMs: 0,
  ...more,
});

const minuteMs = 60_000;

describe('a budget', () => {
  test.each([
    ['at its limit is within it', [count({ value: 100 })], 'within'],
    ['is exceeded by one request more', [count({ value: 101 })], 'exceeded'],
    ['of nothing is exceeded by one', [count({ value: 1, max: 0 })], 'exceeded'],
    ['is unread after too long a silence', [count({ silentMs: minuteMs + 1 })], 'unread'],
    ['is not unread before that', [count({ value: null, silentMs: minuteMs })], 'within'],
    [
      'that is exceeded is so whatever else cannot be read',
      [count({ name: 'bad', value: null, silentMs: 2 * minuteMs }), count({ value: 101 })],
      'exceeded',
    ],
  ])('%s', (_case, counts, verdict) => {
    expect(judgeBudget(counts, minuteMs).verdict).toBe(verdict);
  });

  test('says who counted', () => {
    const counts = [count({ value: 40 }), count({ name: 'bad', value: 2, source: 'metrics' })];
    expect(judgeBudget(counts, minuteMs).note).toBe(
      '40 requests served, at most 100 allowed (counted by the prober); 2 requests failed, at most 100 allowed (counted by the metrics)',
    );
  });
});

describe('a window of the prober', () => {
  const window = { windowMs: minuteMs, stopAtFailures: 50 };
  const rate = { requestsPerSecond: 20, share: 0.1 };

  test('ends where the budget would be used up', () => {
    const cut = windowWithin(window, [count({ value: 80 })], rate);
    // 21 more requests at two a second.
    expect(cut).toEqual({ windowMs: 10_500, stopAtFailures: 50 });
  });

  test('ends at the first failure too many', () => {
    const cut = windowWithin(window, [count({ name: 'bad', value: 1, max: 3 })], rate);
    expect(cut).toEqual({ windowMs: minuteMs, stopAtFailures: 3 });
  });

  test('is left alone by what metrics count', () => {
    const counts = [count({ source: 'metrics', value: 99 })];
    expect(windowWithin(window, counts, rate)).toEqual(window);
  });

  test('is never longer than asked for, and never nothing', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.nat(1_000),
        fc.integer({ min: 0, max: 10 }),
        (value, max, w) => {
          const share = w / 10;
          const { windowMs } = windowWithin(window, [count({ value, max })], { ...rate, share });
          return windowMs >= 1_000 && windowMs <= minuteMs;
        },
      ),
    );
  });
});

test('a rest is never so long that the budget could be used up meanwhile', () => {
  const rest = { restMs: 30 * minuteMs, countedForMs: 1_000 };
  expect(restWithin([count({ value: 50 })], rest)).toBe(500);
  expect(restWithin([count({ value: 100 })], rest)).toBe(0);
  expect(restWithin([count({ value: 0 })], rest)).toBe(rest.restMs);
  // Every request may turn bad: the rate of all of them counts.
  const bad = count({ name: 'bad', value: 0, max: 10 });
  expect(restWithin([bad, count({ value: 50, max: 1_000_000 })], rest)).toBe(100);
});

describe('what a release exposes by plan alone', () => {
  const steps = [
    { weightPercent: 10, forMs: 10 * minuteMs },
    { weightPercent: 50, forMs: 10 * minuteMs },
  ];
  const strategy = { type: 'canary' as const, route: 'shop', steps };
  const bake = { forMs: minuteMs, requestsPerSecond: 20 };

  test('is the share of the traffic over the time of each stop', () => {
    expect(plannedExposure({ strategy }, 100)).toBe(36_000);
    expect(plannedExposure({ strategy, bake }, 100)).toBe(42_000);
    expect(plannedExposure({ strategy: { type: 'rolling' }, bake }, 20)).toBe(1_200);
  });

  test('is warned about where it is more than the budget', () => {
    const budget = { maxExposedRequests: 36_000, requestsPerSecond: 100 };
    expect(budgetWarning({ strategy, budget })).toBeUndefined();
    expect(budgetWarning({ strategy, bake, budget })).toContain('serves 42000 requests');
  });

  test('counts the prober’s own requests where those are what is counted', () => {
    const budget = { maxExposedRequests: 1_000 };
    expect(budgetWarning({ strategy, bake, budget })).toContain('at 20 requests a second');
  });

  test('is not guessed where nobody said what users send', () => {
    const budget = { maxExposedRequests: 1, exposedRequests: 'sum(requests)' };
    expect(budgetWarning({ strategy, bake, budget })).toBeUndefined();
    expect(budgetWarning({ strategy, bake, budget: { maxExposedRequests: undefined } })).toBe(
      undefined,
    );
  });
});
