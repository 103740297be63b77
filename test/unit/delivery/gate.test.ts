import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addWindow,
  emptyTally,
  heldRoundMs,
  isSure,
  judgeBake,
  judgeSmoke,
  nextWindow,
  notMeasured,
  opens,
  restBetweenPausedWindowsMs,
  skippedGate,
  watchedMs,
} from '../../../domain/delivery/gate.ts';
import type { BakeRule, BakeTally } from '../../../domain/delivery/gate.ts';

const rule: BakeRule = {
  forMs: 90_000,
  maxFailureRatio: 0.01,
  minSamples: 20,
  requestsPerSecond: 20,
};

const tally = (samples: number, failures: number, watched: number): BakeTally => ({
  samples,
  failures,
  watchedMs: watched,
  lastFailure: failures > 0 ? '500' : null,
});

describe('smoke', () => {
  const answer = (passed: boolean) => ({
    check: { path: '/a' },
    passed,
    answer: passed ? '200' : '503',
  });

  test('passes only if every check passed', () => {
    expect(judgeSmoke('smoke', [answer(true), answer(true)])).toMatchObject({
      verdict: 'pass',
      samples: 2,
    });
    expect(judgeSmoke('smoke', [answer(true), answer(false)])).toMatchObject({
      verdict: 'fail',
      failures: 1,
      note: '/a answered 503 (1 of 2 failed)',
    });
  });

  test('no answers are no data, and no data does not open the gate', () => {
    const result = judgeSmoke('smoke', []);
    expect(result.verdict).toBe('no-data');
    expect(opens(result)).toBe(false);
  });
});

describe('bake', () => {
  test.each([
    ['goes on before its time is over', tally(1_000, 0, 60_000), undefined],
    ['passes at the end', tally(1_800, 18, 90_000), 'pass'],
    ['fails above the threshold, at once', tally(600, 7, 1_000), 'fail'],
    ['fails above the threshold at the end', tally(1_800, 19, 90_000), 'fail'],
    ['needs its smallest number of samples to fail', tally(19, 19, 1_000), undefined],
    ['has no data without samples', tally(0, 0, 90_000), 'no-data'],
    ['has no data with too few samples, even if all passed', tally(19, 0, 90_000), 'no-data'],
  ] as const)('%s', (_, seen, verdict) => {
    expect(judgeBake(rule, seen)?.verdict).toBe(verdict);
  });

  test('no verdict opens the gate without enough samples', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.nat(120_000), (samples, failures, watched) => {
        const verdict = judgeBake(rule, tally(samples, Math.min(failures, samples), watched));
        return verdict === undefined || !opens(verdict) || samples >= rule.minSamples;
      }),
    );
  });

  test('windows are at most a minute and together as long as asked for', () => {
    expect(nextWindow(rule, emptyTally)?.windowMs).toBe(60_000);
    expect(nextWindow(rule, tally(1_200, 0, 60_000))?.windowMs).toBe(30_000);
    expect(nextWindow(rule, tally(1_800, 0, 90_000))).toBeUndefined();
  });

  test('a window ends when its rest cannot change the verdict', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(3), fc.nat(80_000), (samples, failures, watched) => {
        const before = tally(samples, Math.min(samples, failures), watched);
        const window = nextWindow(rule, before);
        if (window === undefined || judgeBake(rule, before) !== undefined) return true;
        const planned = Math.ceil((window.windowMs * rule.requestsPerSecond) / 1_000);
        const after = tally(
          before.samples + Math.max(planned, window.stopAtFailures),
          before.failures + window.stopAtFailures,
          rule.forMs,
        );
        return judgeBake(rule, after)?.verdict === 'fail';
      }),
    );
  });

  test('all requests failing is found after the smallest number of samples, in two windows', () => {
    const window = nextWindow(rule, emptyTally);
    const first = addWindow(emptyTally, {
      samples: window?.stopAtFailures ?? 0,
      failures: window?.stopAtFailures ?? 0,
      watchedMs: 700,
      lastFailure: '500',
    });
    expect(judgeBake(rule, first)).toBeUndefined();
    const second = nextWindow(rule, first);
    expect(first.samples + (second?.stopAtFailures ?? 0)).toBe(rule.minSamples);
  });

  test('a window ends long before that where the failures are surely too many', () => {
    const before = tally(100, 1, 5_000);
    const { stopWhenSure } = nextWindow(rule, before) ?? {};
    if (stopWhenSure === undefined) throw new Error('no window');
    const endsAt = (every: number): number =>
      Array.from({ length: 600 }, (_, at) => at + 1).find((samples) =>
        isSure(stopWhenSure, { samples, failures: Math.floor(samples / every) }),
      ) ?? Infinity;
    const samples = endsAt(10);
    expect(samples).toBeLessThan(100);
    const after = addWindow(before, {
      ...{ samples, failures: Math.floor(samples / 10) },
      ...{ watchedMs: 2_000, lastFailure: '500' },
    });
    expect(judgeBake(rule, after)?.verdict).toBe('fail');
    expect(endsAt(100)).toBe(Infinity);
  });

  test('a window does not end before it has the samples that a verdict needs', () => {
    const { stopWhenSure } = nextWindow(rule, emptyTally) ?? {};
    if (stopWhenSure === undefined) throw new Error('no window');
    expect(isSure(stopWhenSure, { samples: 19, failures: 19 })).toBe(false);
    expect(isSure(stopWhenSure, { samples: 20, failures: 20 })).toBe(true);
  });

  test('a window counts the share in which the clock ran', () => {
    const window = { windowMs: 10_000, stopAtFailures: 5 };
    const seen = { failures: 0, tookMs: 10_100 };
    expect(watchedMs(window, { ...seen, clockRanMs: 10_100 })).toBe(10_000);
    expect(watchedMs(window, { ...seen, clockRanMs: 0 })).toBe(0);
    expect(watchedMs(window, { ...seen, clockRanMs: 5_050 })).toBe(5_000);
    expect(watchedMs(window, { failures: 5, tookMs: 800, clockRanMs: 800 })).toBe(800);
    const early = { failures: 4, endedEarly: true, tookMs: 900, clockRanMs: 850 };
    expect(watchedMs(window, early)).toBe(850);
  });

  test('a pause of a weekend costs fewer than 150 windows', () => {
    let atMs = 0;
    let windows = 0;
    while (atMs < 60 * 3_600_000) {
      windows += 1;
      atMs += 60_000 + restBetweenPausedWindowsMs(windows);
    }
    expect(windows).toBeLessThan(150);
  });
});

test('not measured and skipped open the gate, and are never called a pass', () => {
  for (const result of [notMeasured('bake', 'traffic: none'), skippedGate('smoke', 'by ana')]) {
    expect(opens(result)).toBe(true);
    expect(result.verdict).not.toBe('pass');
  }
});

describe('a round of judging while a weight is held', () => {
  const seen = { share: 1, intervalsMs: [] };

  test('takes a minute where that gives enough samples', () => {
    expect(heldRoundMs(rule, seen)).toBe(60_000);
  });

  test('takes as long as twice the samples of a verdict need at that share', () => {
    expect(heldRoundMs(rule, { ...seen, share: 0.01 })).toBe(200_000);
  });

  test('takes as long as two looks at each metric', () => {
    expect(heldRoundMs(rule, { ...seen, intervalsMs: [30_000, 90_000] })).toBe(180_000);
  });

  test('ends within an hour, whatever the share', () => {
    expect(heldRoundMs(rule, { ...seen, share: 0.000_1 })).toBe(3_600_000);
  });
});
