import { nearestRank } from '../../domain/statistics/nearest-rank.ts';

/** Of measurements in any order; there has to be one. */
export const percentile = (values: readonly number[], percent: number): number => {
  const value = nearestRank(
    values.toSorted((left, right) => left - right),
    percent,
  );
  if (value === undefined) throw new Error('no data has no percentile');
  return value;
};
