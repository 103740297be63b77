import { normalCdf, normalDensity, normalQuantile } from './normal-distribution.ts';

/** A place on the path of z·√t between the bounds, with its share of the probability. */
interface PathPoint {
  at: number;
  probability: number;
}

/** The test after a look at which no bound was crossed. */
interface Uncrossed {
  fraction: number;
  spent: number;
  bound: number;
  points: readonly PathPoint[];
}

/** Where the path ends up at the next look: a normal step of this width from each point. */
interface Step {
  from: readonly PathPoint[];
  width: number;
}

const nodesPerDeviation = 3;
const start: Uncrossed = { fraction: 0, spent: 0, bound: 0, points: [{ at: 0, probability: 1 }] };

/** Closer looks cost time with the square of their number and find nothing sooner. */
const closestLooks = 0.005;

/** Simpson's rule over [-bound, bound], fine enough for the next step. */
const pointsWithin = (bound: number, step: Step, nextWidth: number): readonly PathPoint[] => {
  const intervals = 2 * Math.max(16, Math.ceil((bound / nextWidth) * nodesPerDeviation));
  const gap = (2 * bound) / intervals;
  return Array.from({ length: intervals + 1 }, (_, index) => {
    const at = -bound + index * gap;
    const inner = index % 2 === 1 ? 4 : 2;
    const weight = index === 0 || index === intervals ? 1 : inner;
    return { at, probability: (weight * gap * densityAt(at, step)) / 3 };
  });
};

const densityAt = (at: number, { from, width }: Step): number =>
  from.reduce(
    (sum, point) => sum + (point.probability * normalDensity((at - point.at) / width)) / width,
    0,
  );

/** P(beyond ±x after this step, no bound having been crossed before), and its slope in x. */
const crossing = (x: number, { from, width }: Step): { beyond: number; slope: number } => {
  let beyond = 0;
  let slope = 0;
  for (const { at, probability } of from) {
    const z = (x - at) / width;
    beyond += 2 * probability * normalCdf(-z);
    slope -= (2 * probability * normalDensity(z)) / width;
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
    const newton = x - (Math.log(beyond / probability) * beyond) / slope;
    const next = newton >= low && newton <= high ? newton : (low + high) / 2;
    if (Math.abs(next - x) < 1e-10) return next;
    x = next;
  }
  return high;
};

const checkLooks = (looks: readonly number[]): void => {
  const gaps = looks.map((fraction, index) => fraction - (looks[index - 1] ?? 0));
  if (looks.length === 0 || gaps.some((gap) => !(gap > closestLooks - 1e-9))) {
    throw new RangeError(
      `looks are shares of the planned samples, growing by ${closestLooks} at least; got ${looks.join(', ')}`,
    );
  }
  if ((looks.at(-1) ?? 0) > 1 + 1e-9) {
    throw new RangeError(`no look comes after the planned samples; got ${looks.join(', ')}`);
  }
};

/**
 * The |z| to reach at each look so that all looks together raise a false alarm with no more
 * than the error that `spent` allows up to then (Lan and DeMets, Biometrika 70, 1983). The
 * statistic of a growing sample is a Brownian motion in the share of information, and its
 * distribution among the paths that crossed no earlier bound is carried on by numerical
 * integration (Armitage, McPherson and Rowe, 1969). Right to four decimals.
 *
 * A bound depends on the looks before it and not on those to come, so a look that was missed
 * or moved costs nothing.
 *
 * @param looks share of the planned samples that was in at each look, growing, at most 1.
 * @param spent error allowed up to a share, two-sided and growing.
 */
export const sequentialCriticalValues = (
  looks: readonly number[],
  spent: (informationFraction: number) => number,
): readonly number[] => {
  checkLooks(looks);
  let state = start;
  return looks.map((fraction, index) => {
    const step = { from: state.points, width: Math.sqrt(fraction - state.fraction) };
    const toSpend = spent(fraction) - state.spent;
    const highest = -normalQuantile(toSpend / 2) * Math.sqrt(fraction);
    const bound = boundCrossedWith(toSpend, step, highest);
    const next = looks[index + 1];
    const points = next === undefined ? [] : pointsWithin(bound, step, Math.sqrt(next - fraction));
    state = { fraction, spent: spent(fraction), bound, points };
    return bound / Math.sqrt(fraction);
  });
};

/** The looks up to and including this one, of so many at even distances. */
export const evenLooks = (done: number, planned: number): readonly number[] =>
  Array.from({ length: done }, (_, index) => (index + 1) / planned);
