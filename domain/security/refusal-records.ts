/** So many refusals of one run are recorded one by one. */
const recordedEach = 100;

/**
 * Whether the so-and-so-many-th refusal of a run gets a record of its own. Each of the first hundred
 * does, then only where their number has doubled: a flood of any length fills no log, and it can be
 * seen that there was one and how long it was.
 *
 * @param count refusals of the run so far, with this one
 * @returns the refusals that this record stands for: 1, or all since the last one; 0 for no record
 */
export const refusalsTold = (count: number): number => {
  if (count <= recordedEach) return 1;
  const doublings = Math.log2(count / recordedEach);
  return Number.isInteger(doublings) ? count / 2 : 0;
};
