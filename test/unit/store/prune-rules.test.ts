import { describe, expect, test } from '@jest/globals';
import { expiriesAt, pruneRules } from '../../../domain/store/prune-rules.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 0, 1);

describe('what may be removed', () => {
  test('is what is older than each rule says', () => {
    expect(expiriesAt(nowMs)).toEqual({
      expiries: [
        {
          records: 'release-records',
          table: 'release_record',
          ageColumn: 'ended_at',
          beforeMs: nowMs - 730 * dayMs,
        },
      ],
    });
  });

  test('is what is older than was asked for, down to the least that a rule allows', () => {
    const [rule] = pruneRules;
    expect(expiriesAt(nowMs, { 'release-records': rule.atLeastMs })).toMatchObject({
      expiries: [{ beforeMs: nowMs - rule.atLeastMs }],
    });
    expect(expiriesAt(nowMs, { 'release-records': rule.atLeastMs - 1 })).toEqual({
      refused: expect.stringContaining('at least 30 days') as unknown,
    });
  });

  test('is nothing where a rule was asked for that is not there', () => {
    expect(expiriesAt(nowMs, { 'audit-log': dayMs })).toEqual({
      refused: 'there is no rule for audit-log; there is for release-records',
    });
  });

  test('is never less than what the rules themselves call the least', () => {
    for (const { keepMs, atLeastMs } of pruneRules) {
      expect(keepMs).toBeGreaterThanOrEqual(atLeastMs);
    }
  });
});
