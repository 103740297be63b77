import type { Assurance } from './critical-value.ts';
import { criticalValue } from './critical-value.ts';
import { wantedPower } from './detectable-change.ts';
import type { SidesOf } from './judgement.ts';
import { normalQuantile } from './normal-distribution.ts';
import { sampleFloor } from './sample-floor.ts';

/** A step that counts events, as it is planned or as it was measured. */
export interface ProportionPlan extends Assurance {
  trials: SidesOf<number>;
  /** Events per trial of the control, 0 to 1. */
  controlRate: number;
  direction: 'increase' | 'decrease';
}

/** A quarter of an event each way makes the arcsine fit small counts (87 to 93 % for 90 %). */
const correction = 0.25;

const increased = ({ trials, controlRate, ...assurance }: ProportionPlan): number | undefined => {
  const { control, experiment } = trials;
  const from = Math.asin(
    Math.sqrt((control * controlRate + correction) / (control + 2 * correction)),
  );
  const distance = (criticalValue(assurance) + normalQuantile(wantedPower)) / 2;
  const angle = from + distance * Math.sqrt(1 / control + 1 / experiment);
  if (angle >= Math.PI / 2) return undefined;
  return (Math.sin(angle) ** 2 * (experiment - 2 * correction) + correction) / experiment;
};

/**
 * The rate from which on (up to which, for a decrease) `judgeProportions` finds a change with
 * 90 % power; undefined where it finds none, however large. From the arcsine of the root of a
 * rate, whose deviation is ½/√n at every rate.
 */
export const detectableRate = (plan: ProportionPlan): number | undefined => {
  const { trials, confidence, direction, controlRate } = plan;
  if (Math.min(trials.control, trials.experiment) < sampleFloor(confidence)) return undefined;
  if (direction === 'increase') return increased(plan);
  // Fewer events are more trials without one.
  const without = increased({ ...plan, controlRate: 1 - controlRate });
  return without === undefined ? undefined : 1 - without;
};
