import { detectableChange, wantedPower } from '../../domain/statistics/detectable-change.ts';
import { detectableRate } from '../../domain/statistics/detectable-rate.ts';
import { judgeProportions } from '../../domain/statistics/judge-proportions.ts';
import { judgeSeries } from '../../domain/statistics/judge-series.ts';
import type { SeededGenerator } from './seeded-generator.ts';
import { eventsOf, latencies } from './simulated-series.ts';

/** Changes of exactly the size that a step is said to see. */
export interface StatedPower {
  step: string;
  /** Relative change of the level or the rate. */
  change: number;
  expectedPercent: number;
  measuredPercent: number;
}

const rule = { direction: 'increase', confidence: 0.98 } as const;
const runs = 2_000;

const foundPercent = (isFound: () => boolean): number => {
  let found = 0;
  for (let run = 0; run < runs; run += 1) if (isFound()) found += 1;
  return (100 * found) / runs;
};

const shownFor = (step: string, change: number | undefined): number => {
  if (change === undefined) throw new Error(`${step} is said to see no change at all`);
  return change;
};

const seriesStep = (chance: SeededGenerator, samples: number): StatedPower => {
  const step = `series_n${samples}`;
  const tolerance = 0.25;
  const sizes = { control: samples, experiment: samples };
  const change = shownFor(
    step,
    detectableChange({ ...rule, tolerance, samples: sizes, logSpread: 0.3 }),
  );
  const series = (median: number): readonly number[] =>
    latencies(chance, { samples, median, spread: 0.3 });
  const isFound = (): boolean =>
    judgeSeries({
      ...rule,
      tolerance,
      control: series(0.12),
      experiment: series(0.12 + 0.12 * change),
    }).verdict === 'high';
  return {
    step,
    change,
    expectedPercent: 100 * wantedPower,
    measuredPercent: foundPercent(isFound),
  };
};

const canaryStep = (chance: SeededGenerator, controlRate: number): StatedPower => {
  const step = `rate_${controlRate}`;
  const trials = { control: 9_000, experiment: 1_000 };
  const rate = shownFor(step, detectableRate({ ...rule, trials, controlRate }));
  const drawn = (size: number, share: number): { events: number; trials: number } => ({
    events: eventsOf(chance, { trials: size, rate: share }),
    trials: size,
  });
  const isFound = (): boolean =>
    judgeProportions({
      ...rule,
      control: drawn(trials.control, controlRate),
      experiment: drawn(trials.experiment, rate),
    }).verdict === 'high';
  return {
    step,
    change: rate / controlRate - 1,
    expectedPercent: 100 * wantedPower,
    measuredPercent: foundPercent(isFound),
  };
};

export const measureStatedPower = (chance: SeededGenerator): readonly StatedPower[] => [
  ...[10, 20, 60].map((samples) => seriesStep(chance, samples)),
  ...[0.001, 0.01].map((rate) => canaryStep(chance, rate)),
];
