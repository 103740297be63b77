/**
 * Measures how long a run was allowed to move. Deadlines and gates are read off
 * this clock, so that a pause, a wait for the lock or for an approval costs none
 * of their time. Several reasons may hold the clock at once.
 */
export interface RunClock {
  /** Time that had passed when the clock last stopped. */
  readonly countedMs: number;
  /** When it last started; null while it is held. */
  readonly runningSinceMs: number | null;
  readonly holds: readonly string[];
}

/** A clock that stands still for `reason` until that is lifted. */
export const heldClock = (reason: string): RunClock => ({
  countedMs: 0,
  runningSinceMs: null,
  holds: [reason],
});

export const elapsedMs = (clock: RunClock, nowMs: number): number =>
  clock.countedMs + (clock.runningSinceMs === null ? 0 : Math.max(0, nowMs - clock.runningSinceMs));

export const remainingMs = (clock: RunClock, deadlineMs: number, nowMs: number): number =>
  deadlineMs - elapsedMs(clock, nowMs);

export const isHeld = (clock: RunClock): boolean => clock.holds.length > 0;

export const holdClock = (clock: RunClock, reason: string, nowMs: number): RunClock =>
  clock.holds.includes(reason)
    ? clock
    : {
        countedMs: elapsedMs(clock, nowMs),
        runningSinceMs: null,
        holds: [...clock.holds, reason],
      };

export const liftHold = (clock: RunClock, reason: string, nowMs: number): RunClock => {
  if (!clock.holds.includes(reason)) return clock;
  const holds = clock.holds.filter((hold) => hold !== reason);
  return { ...clock, holds, runningSinceMs: holds.length === 0 ? nowMs : null };
};
