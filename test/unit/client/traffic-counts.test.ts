import { describe, expect, test } from '@jest/globals';
import {
  countAnswer,
  emptyCounts,
  requestsPerSecond,
  timeToSafeMs,
} from '../../../client/cli/traffic-counts.ts';

const answer = (endedAtMs: number, version: string | null, failure: string | null = null) => ({
  sentAtMs: endedAtMs - 1,
  endedAtMs,
  version,
  failure,
});

describe('counting the traffic of a chapter', () => {
  test('the time to safety runs from the first failure to the last answer of the bad version', () => {
    const counts = emptyCounts(0);
    countAnswer(counts, answer(100, '2'));
    countAnswer(counts, answer(200, '3b', '500'));
    countAnswer(counts, answer(900, '2'));
    countAnswer(counts, answer(1_700, '3b', '500'));
    countAnswer(counts, answer(2_000, '2'));
    expect(counts).toMatchObject({ sent: 5, failed: 2, answers: { '2': 3, '3b': 2 } });
    expect(timeToSafeMs(counts, '2')).toBe(1_500);
    expect(requestsPerSecond(counts)).toBe(2.5);
  });

  test('a request without any answer is a failure too, and the last one counts', () => {
    const counts = emptyCounts(0);
    countAnswer(counts, answer(100, null, 'connection reset'));
    countAnswer(counts, answer(400, null, 'connection reset'));
    expect(timeToSafeMs(counts, '2')).toBe(300);
    expect(counts.failureExample).toBe('connection reset');
  });

  test('without a failure there is no time to safety, and no requests are no rate', () => {
    const counts = emptyCounts(0);
    expect(requestsPerSecond(counts)).toBe(0);
    countAnswer(counts, answer(100, '2'));
    expect(timeToSafeMs(counts, '2')).toBeNull();
  });
});
