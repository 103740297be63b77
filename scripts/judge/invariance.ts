import type { SeriesComparison } from '../../domain/statistics/judge-series.ts';
import { judgeSeries } from '../../domain/statistics/judge-series.ts';
import type { SeededGenerator } from './seeded-generator.ts';
import { latencies, shuffled, smallCounts } from './simulated-series.ts';

const factors = { '1e-9': 1e-9, '1e-6': 1e-6, '1e-3': 1e-3, '1e3': 1e3 } as const;
const comparisons = 1_000;

type Series = Pick<SeriesComparison, 'control' | 'experiment'>;

const verdictOf = (series: Series): string =>
  judgeSeries({
    ...series,
    direction: 'either',
    confidence: 0.98,
    tolerance: 0.25,
    effectThreshold: 0.05,
  }).verdict;

/** Every second pair is of small whole numbers, where ties and thresholds are hit exactly. */
const drawn = (chance: SeededGenerator, run: number): Series => {
  const samples = 5 + chance.whole(40);
  if (run % 2 === 0) {
    const ratio = 0.5 + 1.5 * chance.uniform();
    return {
      control: latencies(chance, { samples, median: 0.12, spread: 0.3 }),
      experiment: latencies(chance, { samples, median: 0.12 * ratio, spread: 0.3 }),
    };
  }
  return {
    control: smallCounts(chance, { samples, below: 2 + chance.whole(6) }),
    experiment: smallCounts(chance, { samples, below: 2 + chance.whole(6) }),
  };
};

const scaled = ({ control, experiment }: Series, factor: number): Series => ({
  control: control.map((value) => value * factor),
  experiment: experiment.map((value) => value * factor),
});

export interface Invariance {
  comparisons: number;
  /** How often each verdict came, or the counts of changes below would say little. */
  verdicts: Readonly<Record<string, number>>;
  changed: readonly { by: string; verdicts: number }[];
}

export const measureInvariance = (chance: SeededGenerator): Invariance => {
  const verdicts: Record<string, number> = {};
  const changed = new Map([...Object.keys(factors), 'order'].map((by) => [by, 0]));
  const count = (by: string): void => void changed.set(by, (changed.get(by) ?? 0) + 1);
  for (let run = 0; run < comparisons; run += 1) {
    const series = drawn(chance, run);
    const verdict = verdictOf(series);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    for (const [name, factor] of Object.entries(factors)) {
      if (verdictOf(scaled(series, factor)) !== verdict) count(name);
    }
    const permuted = {
      control: shuffled(chance, series.control),
      experiment: shuffled(chance, series.experiment),
    };
    if (verdictOf(permuted) !== verdict) count('order');
  }
  return {
    comparisons,
    verdicts,
    changed: [...changed].map(([by, count]) => ({ by, verdicts: count })),
  };
};
