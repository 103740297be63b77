import type { Proportion } from './fisher-mid-p.ts';

const { log, min } = Math;

/** Chance that trials whose true ratio is at the limit are ever, at any look, called above it. */
export const falseAlarmLevel = 0.01;

/** How far above the limit the alternative lies that the evidence is weighed against. */
const alternativeOf = (ratio: number): number => min(10 * ratio, (1 + ratio) / 2);

/**
 * Is the true ratio above this limit, with a false alarm in at most `falseAlarmLevel` of all
 * sequences, however often and whenever one looks? Wald's likelihood ratio against a ratio ten
 * times the limit; by Ville's inequality it ever reaches 1/level with at most that chance. It
 * answers no more than "surely above": a ratio of twice the limit may stay unproven for long.
 */
export const isSurelyAbove = (ratio: number, { events, trials }: Proportion): boolean => {
  if (events === 0 || ratio >= 1) return false;
  if (ratio <= 0) return true;
  const alternative = alternativeOf(ratio);
  const perEvent = log(alternative / ratio);
  const perOther = log((1 - alternative) / (1 - ratio));
  return events * perEvent + (trials - events) * perOther >= -log(falseAlarmLevel);
};
