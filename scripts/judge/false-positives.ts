import { ascending } from '../../domain/statistics/ascending.ts';
import { criticalValue } from '../../domain/statistics/critical-value.ts';
import { judgeProportions } from '../../domain/statistics/judge-proportions.ts';
import { judgeSeries } from '../../domain/statistics/judge-series.ts';
import { mannWhitneyZ } from '../../domain/statistics/mann-whitney.ts';
import { evenLooks } from '../../domain/statistics/sequential-boundary.ts';
import type { SeededGenerator } from './seeded-generator.ts';
import { eventsOf, latencies } from './simulated-series.ts';

/** Nothing changes in these runs: whatever is found is wrong. */
interface NullRuns {
  metric: string;
  runs: number;
  /** Does one such run raise a false alarm? */
  alarms: (chance: SeededGenerator) => boolean;
  /** % of runs; absent where the figure is there to compare with. */
  target?: number;
}

const rule = { direction: 'either', confidence: 0.98, tolerance: 0.25 } as const;

const oneLook = (chance: SeededGenerator): boolean => {
  const series = { samples: 5 + chance.whole(56), median: 10 ** chance.uniform(), spread: 0.3 };
  const control = latencies(chance, series);
  const experiment = latencies(chance, series);
  return judgeSeries({ ...rule, control, experiment }).verdict !== 'same';
};

const longestSeries = 60;

const nullSeries = (chance: SeededGenerator): readonly number[] =>
  latencies(chance, { samples: longestSeries, median: 0.12, spread: 0.3 });

/** Looks at even distances until the last sample, and alarms if any look does. */
const manyLooks = (chance: SeededGenerator): boolean => {
  const planned = 5;
  const control = nullSeries(chance);
  const experiment = nullSeries(chance);
  return evenLooks(planned, planned).some((share, index) => {
    const { verdict } = judgeSeries({
      ...rule,
      control: control.slice(0, share * longestSeries),
      experiment: experiment.slice(0, share * longestSeries),
      looks: evenLooks(index + 1, planned),
    });
    return verdict !== 'same';
  });
};

const tenLooks = evenLooks(10, 10);

/**
 * The rank test alone, because the tolerance hides what looking often does. At 98 % it may
 * raise 2 % of false alarms on both sides together.
 */
const rankTestAlarms =
  (criticalValues: readonly number[]) =>
  (chance: SeededGenerator): boolean => {
    const control = nullSeries(chance);
    const experiment = nullSeries(chance);
    return tenLooks.some((share, index) => {
      const samples = Math.round(share * longestSeries);
      const z = mannWhitneyZ({
        control: ascending(control.slice(0, samples)),
        experiment: ascending(experiment.slice(0, samples)),
      });
      return Math.abs(z) >= (criticalValues[index] ?? Infinity);
    });
  };

const nominal = { confidence: rule.confidence };

/** A canary at 10 % of 10,000 requests of which one in a thousand fails on either side. */
const rareErrors = (chance: SeededGenerator): boolean => {
  const proportion = (trials: number): { events: number; trials: number } => ({
    events: eventsOf(chance, { trials, rate: 0.001 }),
    trials,
  });
  const sides = { control: proportion(9_000), experiment: proportion(1_000) };
  return judgeProportions({ ...sides, direction: 'increase', confidence: 0.98 }).verdict !== 'same';
};

const nullRuns: readonly NullRuns[] = [
  { metric: 'false_positives', runs: 1_000, alarms: oneLook, target: 1 },
  { metric: 'false_positives_5_looks', runs: 1_000, alarms: manyLooks, target: 1 },
  {
    metric: 'rank_test_alarms_10_looks',
    runs: 30_000,
    alarms: rankTestAlarms(
      tenLooks.map((_, index) =>
        criticalValue({ ...nominal, looks: tenLooks.slice(0, index + 1) }),
      ),
    ),
    target: 2,
  },
  {
    metric: 'rank_test_alarms_10_looks_uncorrected',
    runs: 2_000,
    alarms: rankTestAlarms(tenLooks.map(() => criticalValue(nominal))),
  },
  { metric: 'false_positives_rare_errors', runs: 20_000, alarms: rareErrors, target: 1 },
];

export interface FalsePositives {
  metric: string;
  runs: number;
  percent: number;
  target?: number;
}

export const measureFalsePositives = (chance: SeededGenerator): readonly FalsePositives[] =>
  nullRuns.map(({ metric, runs, alarms, ...target }) => {
    let alarmed = 0;
    for (let run = 0; run < runs; run += 1) if (alarms(chance)) alarmed += 1;
    return { metric, runs, percent: (100 * alarmed) / runs, ...target };
  });
