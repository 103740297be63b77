/**
 * A percentile by nearest rank: the smallest value that so many percent of the values do not
 * exceed. Always one of the values, never something between two.
 *
 * @param ascending the values, smallest first
 * @param percent above 0, at most 100
 * @returns `undefined` where there are no values
 */
export const nearestRank = (ascending: readonly number[], percent: number): number | undefined =>
  ascending[Math.max(0, Math.ceil((ascending.length * percent) / 100) - 1)];
