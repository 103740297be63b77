import { describe, expect, test } from '@jest/globals';
import { drainedText, drainLook, nextDrainStep } from '../../../domain/delivery/drain.ts';

const rule = { withinMs: 30_000, openConnections: 'open{deployment="$workload"}' };

describe('a drain', () => {
  test.each([
    { title: 'ends when none is open', look: { open: 0 }, waitedMs: 0, cut: 0 },
    {
      title: 'ends at the limit and counts who is cut',
      look: { open: 7 },
      waitedMs: 30_000,
      cut: 7,
    },
    {
      title: 'says at the limit that it does not know',
      look: { unknown: '?' },
      waitedMs: 30_000,
      cut: null,
    },
  ])('$title', ({ look, waitedMs, cut }) => {
    expect(nextDrainStep(rule, { look, waitedMs })).toEqual({ act: 'end', connectionsCut: cut });
  });

  test('looks now and then while connections are open, and never past the limit', () => {
    expect(nextDrainStep(rule, { look: { open: 3 }, waitedMs: 0 })).toEqual({
      act: 'wait',
      forMs: 1_000,
    });
    const long = { withinMs: 900_000 };
    expect(nextDrainStep(long, { look: { open: 3 }, waitedMs: 0 })).toMatchObject({
      forMs: 30_000,
    });
    expect(nextDrainStep(rule, { look: { open: 3 }, waitedMs: 29_500 })).toMatchObject({
      forMs: 500,
    });
  });

  test('waits for the whole limit where nobody knows: unknown is not none', () => {
    expect(nextDrainStep(rule, { look: { unknown: 'no data' }, waitedMs: 0 })).toEqual({
      act: 'wait',
      forMs: 30_000,
    });
  });

  test('takes all series together, and no data for unknown', () => {
    expect(drainLook({ state: 'value', value: 2.2 })).toEqual({ open: 3 });
    expect(drainLook({ state: 'series', values: [1, 4] })).toEqual({ open: 5 });
    expect(drainLook({ state: 'no-data', reason: 'none' })).toEqual({ unknown: 'none' });
  });

  test.each([
    [0, 'after 2 s: none of shop is open any more'],
    [3, 'after 2 s: 3 open connections of shop were cut'],
    [null, 'after 2 s: open connections of shop not measured'],
  ])('with %s left reads "%s"', (connectionsCut, text) => {
    expect(drainedText({ workload: 'shop', waitedMs: 2_000, connectionsCut })).toBe(text);
  });
});
