import { ascending, mean } from './ascending.ts';

/**
 * Standard deviation of the natural logarithms: about the relative spread of a series, 0.3 for
 * ± 30 %. Undefined with fewer than two samples and where a sample is not above 0.
 */
export const logSpread = (series: readonly number[]): number | undefined => {
  if (series.length < 2 || !series.every((value) => value > 0 && Number.isFinite(value))) {
    return undefined;
  }
  const logarithms = ascending(series.map((value) => Math.log(value)));
  const centre = mean(logarithms);
  const squares = logarithms.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (series.length - 1));
};
