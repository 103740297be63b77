import type { Ascending } from './ascending.ts';
import { at } from './ascending.ts';

/** Two series to compare. */
export interface SortedPair {
  control: Ascending;
  experiment: Ascending;
}

/** How many values from `from` on are equal to `value`. */
const runLength = (series: Ascending, from: number, value: number): number => {
  let end = from;
  while (end < series.length && series[end] === value) end += 1;
  return end - from;
};

interface RankCounts {
  /** Pairs in which the experiment's value is the greater one; a tie counts half. */
  wins: number;
  /** Σ(t³ - t) over groups of t equal values in both series together. */
  ties: number;
}

const countRanks = ({ control, experiment }: SortedPair): RankCounts => {
  const counts: RankCounts = { wins: 0, ties: 0 };
  let below = 0;
  let done = 0;
  while (below < control.length || done < experiment.length) {
    const ofControl = at(control, below);
    const ofExperiment = at(experiment, done);
    const value = ofExperiment < ofControl || below === control.length ? ofExperiment : ofControl;
    const controls = runLength(control, below, value);
    const experiments = runLength(experiment, done, value);
    const tied = controls + experiments;
    counts.wins += experiments * (below + controls / 2);
    counts.ties += tied ** 3 - tied;
    below += controls;
    done += experiments;
  }
  return counts;
};

/**
 * z of the Mann–Whitney test for a shift of 0: positive where the experiment's values are
 * greater. With tie correction of the variance and a continuity correction of ½, which pulls
 * towards 0. Identical series, and series of one value only, give exactly 0.
 */
export const mannWhitneyZ = (pair: SortedPair): number => {
  const { wins, ties } = countRanks(pair);
  const pairs = pair.control.length * pair.experiment.length;
  const total = pair.control.length + pair.experiment.length;
  const distance = wins - pairs / 2;
  const beyondStep = Math.abs(distance) - 0.5;
  if (!(beyondStep > 0)) return 0;
  const variance = (pairs / 12) * (total + 1 - ties / (total * (total - 1)));
  return (Math.sign(distance) * beyondStep) / Math.sqrt(variance);
};

/** The greatest z that so many samples on each side can give: every value above every other. */
export const greatestZ = (samplesPerSide: number): number => {
  const pairs = samplesPerSide ** 2;
  return (pairs / 2 - 0.5) / Math.sqrt((pairs * (2 * samplesPerSide + 1)) / 12);
};

/** The absolute value furthest from 0 in either series. */
export const greatestMagnitude = ({ control, experiment }: SortedPair): number =>
  Math.max(
    ...[control, experiment].flatMap((series) => [
      Math.abs(at(series, 0)),
      Math.abs(at(series, series.length - 1)),
    ]),
  );
