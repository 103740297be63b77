import { smallestPassing } from './bisection.ts';
import type { Assurance } from './critical-value.ts';
import { criticalValue } from './critical-value.ts';
import { boundRank } from './hodges-lehmann.ts';
import type { SidesOf } from './judgement.ts';
import { normalCdf, normalDensity } from './normal-distribution.ts';
import { sampleFloor } from './sample-floor.ts';

/** The share of such changes that is found. */
export const wantedPower = 0.9;

/** A step as it is planned, or as it was measured. */
export interface SeriesPlan extends Assurance {
  samples: SidesOf<number>;
  /** From `logSpread`, measured or assumed. */
  logSpread: number;
  tolerance: number;
  direction: 'increase' | 'decrease';
}

/** Two log-normal series: medians 1 and `ratio`, one spread. */
interface Model {
  ratio: number;
  spread: number;
}

/** The bound that has to be clear of the tolerance, by its rank among the differences. */
interface RankedBound {
  samples: SidesOf<number>;
  tolerance: number;
  rank: number;
}

const { exp, log } = Math;

const greatestRatio = 1_000;
const nodeGap = 0.4;
const nodes = Array.from({ length: 31 }, (_, index) => {
  const z = (index - 15) * nodeGap;
  return { z, weight: normalDensity(z) * nodeGap };
});

const average = (value: (z: number) => number): number =>
  nodes.reduce((sum, { z, weight }) => sum + weight * value(z), 0);

/** P(experiment > control + shift), the control being exp(spread·z). */
const exceeds = ({ ratio, spread }: Model, shift: number, z: number): number =>
  normalCdf(-log((exp(spread * z) + shift) / ratio) / spread);

/** P(control < experiment - shift), the experiment being ratio·exp(spread·z). */
const isExceeded = ({ ratio, spread }: Model, shift: number, z: number): number => {
  const left = ratio * exp(spread * z) - shift;
  return left > 0 ? normalCdf(log(left) / spread) : 0;
};

const medianDifference = (model: Model): number =>
  smallestPassing(
    { low: 0, high: model.ratio },
    (shift) => average((z) => exceeds(model, shift, z)) <= 0.5,
  );

/**
 * P(High) for a change by this ratio. The bound of the interval is beyond the tolerance when
 * enough pairs differ by more than `tolerance · shift`; their number is Mann–Whitney's U of
 * series moved closer by that much, whose mean and variance under a change are Lehmann's. The
 * estimate and the bound move together, so that only 1 - tolerance of the deviation is left.
 */
const power = (model: Model, { samples, tolerance, rank }: RankedBound): number => {
  const { control, experiment } = samples;
  const pairs = control * experiment;
  const moved = tolerance * medianDifference(model);
  const one = average((z) => exceeds(model, moved, z));
  const twoExperiments = average((z) => exceeds(model, moved, z) ** 2);
  const twoControls = average((z) => isExceeded(model, moved, z) ** 2);
  const variance =
    pairs *
    (one * (1 - one) +
      (experiment - 1) * (twoExperiments - one ** 2) +
      (control - 1) * (twoControls - one ** 2));
  const deviation = Math.sqrt(Math.max(variance, 1e-12)) * (1 - tolerance);
  return normalCdf((pairs * one - (pairs - rank + 1) + 0.5) / deviation);
};

/**
 * The smallest relative change of the level that `judgeSeries` finds with 90 % power: 0.57 for
 * "this step sees a change of 57 % or more". Undefined where it sees none, however large.
 *
 * Holds for independent log-normal samples; in simulations 87 to 96 % of such changes are found.
 * The samples of a real series depend on their neighbours, so it is a bound on the bright side.
 */
export const detectableChange = (plan: SeriesPlan): number | undefined => {
  const { samples, confidence, direction, tolerance } = plan;
  if (Math.min(samples.control, samples.experiment) < sampleFloor(confidence)) return undefined;
  // A fall seen from the experiment is a rise seen from the control.
  const mirrored = { control: samples.experiment, experiment: samples.control };
  const bound = {
    samples: direction === 'increase' ? samples : mirrored,
    tolerance,
    rank: boundRank(samples, criticalValue(plan)),
  };
  const spread = Math.max(plan.logSpread, 1e-6);
  const isFound = (logRatio: number): boolean =>
    power({ ratio: exp(logRatio), spread }, bound) >= wantedPower;
  const limit = log(greatestRatio);
  if (!isFound(limit)) return undefined;
  const ratio = exp(smallestPassing({ low: 0, high: limit }, isFound));
  return direction === 'increase' ? ratio - 1 : 1 - 1 / ratio;
};
