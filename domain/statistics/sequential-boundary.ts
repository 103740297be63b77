import { gaussLegendre } from './gauss-legendre.ts';
import { normalCdf, normalDensity, normalQuantile } from './normal-distribution.ts';

const { abs, ceil, log, max, min, sqrt } = Math;

/** A place of the path of z·√t above 0, with its share of the probability; it mirrors itself below. */
interface PathPoint {
  at: number;
  probability: number;
}

/** The test after a look at which no bound was crossed. */
interface Uncrossed {
  /** Share of the information at the last look that was integrated. */
  fraction: number;
  points: readonly PathPoint[];
  spent: number;
}

/** A normal step of this width from each point. */
interface Step {
  from: readonly PathPoint[];
  width: number;
}

const start: Uncrossed = { fraction: 0, points: [{ at: 0, probability: 0.5 }], spent: 0 };

/** Closer looks are counted by the sum of their levels: their integrals would be long and alike. */
const closestLooks = 0.005;

/** What is left to spend where looks go on after the plan: a z of 37. */
const leastLevel = 1e-300;

const densityAt = (place: number, { from, width }: Step): number => {
  let sum = 0;
  for (const { at, probability } of from) {
    const [near, far] = [(place - at) / width, (place + at) / width];
    sum += (probability * (normalDensity(near) + normalDensity(far))) / width;
  }
  return sum;
};

/** The paths that stay within the bound, at nodes that are dense enough for the next step. */
const pointsWithin = (bound: number, step: Step, nextWidth: number): readonly PathPoint[] =>
  gaussLegendre(8 + ceil((1.5 * bound) / nextWidth), bound).map(({ at, weight }) => ({
    at,
    probability: weight * densityAt(at, step),
  }));

/** P(beyond ±x after this step, no bound having been crossed before), and its slope in x. */
const crossing = (x: number, { from, width }: Step): { beyond: number; slope: number } => {
  let beyond = 0;
  let slope = 0;
  for (const { at, probability } of from) {
    const [near, far] = [(x - at) / width, (x + at) / width];
    beyond += 2 * probability * (normalCdf(-near) + normalCdf(-far));
    slope -= (2 * probability * (normalDensity(near) + normalDensity(far))) / width;
  }
  return { beyond, slope };
};

/**
 * The bound that is crossed with this probability. Without earlier looks it would be `highest`,
 * and they only take paths away. The logarithm of a Gaussian tail is concave, so that Newton's
 * method on it comes down from there and cannot jump over the root; where the tail is too thin
 * for a float, the bracket is halved.
 */
const boundCrossedWith = (probability: number, step: Step, highest: number): number => {
  let [low, high, x] = [0, highest, highest];
  for (let round = 0; round < 100; round += 1) {
    const { beyond, slope } = crossing(x, step);
    if (beyond > probability) low = x;
    else high = x;
    const newton = x - (log(beyond / probability) * beyond) / slope;
    const next = newton >= low && newton <= high ? newton : (low + high) / 2;
    if (abs(next - x) < 1e-10) return next;
    x = next;
  }
  return high;
};

/**
 * The |z| to reach at each look so that all looks together raise a false alarm with no more
 * than the error that `spent` allows up to then (Lan and DeMets, Biometrika 70, 1983). The
 * statistic of a growing sample is a Brownian motion in the share of information, and its
 * distribution among the paths that crossed no earlier bound is carried on by numerical
 * integration (Armitage, McPherson and Rowe, 1969). Right to four decimals.
 *
 * A bound depends on the looks before it and not on those to come, so a look that was missed
 * or moved costs nothing. A look after the plan, or at no new samples, has nothing to spend
 * and finds nothing.
 *
 * @param looks share of the planned samples that was in at each look, growing up to 1.
 * @param spent error allowed up to a share, two-sided and growing.
 */
export const sequentialCriticalValues = (
  looks: readonly number[],
  spent: (informationFraction: number) => number,
): readonly number[] => {
  let state = start;
  return looks.map((look, index) => {
    const fraction = min(1, look);
    const level = max(leastLevel, spent(fraction) - state.spent);
    const z = -normalQuantile(level / 2);
    state = { ...state, spent: max(state.spent, spent(fraction)) };
    if (fraction - state.fraction < closestLooks) return z;
    const step = { from: state.points, width: sqrt(fraction - state.fraction) };
    const bound = boundCrossedWith(level, step, z * sqrt(fraction));
    const next = looks.slice(index + 1).find((later) => min(1, later) - fraction >= closestLooks);
    const points =
      next === undefined ? [] : pointsWithin(bound, step, sqrt(min(1, next) - fraction));
    state = { ...state, fraction, points };
    return bound / sqrt(fraction);
  });
};

/** The looks up to and including this one, of so many at even distances. */
export const evenLooks = (done: number, planned: number): readonly number[] =>
  Array.from({ length: done }, (_, index) => (index + 1) / planned);
