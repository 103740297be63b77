import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  elapsedMs,
  heldClock,
  holdClock,
  isHeld,
  liftHold,
  remainingMs,
} from '../../../domain/shared/run-clock.ts';

describe('the clock of a run', () => {
  test('stands still until its first hold is lifted', () => {
    const clock = heldClock('lock');
    expect(elapsedMs(clock, 5_000)).toBe(0);
    expect(elapsedMs(liftHold(clock, 'lock', 5_000), 7_000)).toBe(2_000);
  });

  test('runs only when nobody holds it any more', () => {
    let clock = liftHold(heldClock('lock'), 'lock', 0);
    clock = holdClock(clock, 'paused', 1_000);
    clock = holdClock(clock, 'approval', 1_500);
    clock = liftHold(clock, 'paused', 2_000);
    expect(isHeld(clock)).toBe(true);
    expect(elapsedMs(clock, 9_000)).toBe(1_000);
    clock = liftHold(clock, 'approval', 9_000);
    expect(elapsedMs(clock, 9_500)).toBe(1_500);
    expect(remainingMs(clock, 2_000, 9_500)).toBe(500);
  });

  test('a repeated hold or lift changes nothing', () => {
    const held = holdClock(liftHold(heldClock('a'), 'a', 0), 'paused', 100);
    expect(holdClock(held, 'paused', 200)).toBe(held);
    expect(liftHold(held, 'other', 300)).toBe(held);
  });

  test('counts exactly the moments in which no hold was on, whatever the order', () => {
    const reasons = ['paused', 'approval', 'operator'];
    const event = fc.record({
      gapMs: fc.nat(1_000),
      reason: fc.constantFrom(...reasons),
      hold: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        let nowMs = 0;
        let expected = 0;
        const on = new Set<string>();
        let clock = liftHold(heldClock('start'), 'start', 0);
        for (const { gapMs, reason, hold } of events) {
          nowMs += gapMs;
          if (on.size === 0) expected += gapMs;
          if (hold) on.add(reason);
          else on.delete(reason);
          clock = hold ? holdClock(clock, reason, nowMs) : liftHold(clock, reason, nowMs);
        }
        return elapsedMs(clock, nowMs) === expected;
      }),
    );
  });
});
