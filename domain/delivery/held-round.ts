/** What is known of a held weight when its next round of judging begins. */
export interface HeldSoFar {
  heldForMs: number;
  /** Events in the history of the run. */
  historyEvents: number;
  /** Events that the round before cost, with everything that went on beside it; 0 at the first. */
  lastRoundEvents: number;
}

/** Of the 2,000 events that a run may have, those that are left to a release that goes on or back. */
const mostEventsHeld = 1_700;

/** Twenty-four hours must fit; after that what is left is stretched over as long as it took so far. */
const dayMs = 86_400_000;

/** A window is an activity and the workflow task after it; nothing costs less. */
const eventsOfWindow = 6;

/** Longest window of a watch at a held weight; of the same length as a pause was between rounds. */
export const longestHeldWindowMs = 1_800_000;

/**
 * How long the next round takes. There is no rest between rounds, because a weight that is held is
 * traffic of users. Rounds become longer instead, as long as the version was good so far and the
 * more the more they cost, until the history lasts.
 */
export const nextHeldRoundMs = (
  shortestMs: number,
  { heldForMs, historyEvents, lastRoundEvents }: HeldSoFar,
): number => {
  // The round that is under way at the end of the day must fit too.
  const eventsLeft = Math.max(eventsOfWindow, mostEventsHeld - historyEvents - lastRoundEvents);
  const affordableMs = (Math.max(dayMs, heldForMs) * lastRoundEvents) / eventsLeft;
  const grownMs = heldForMs * Math.max(1, lastRoundEvents / eventsOfWindow);
  return Math.max(shortestMs, Math.min(dayMs, Math.ceil(Math.min(affordableMs, grownMs))));
};
