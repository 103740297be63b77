import { judgeSeries } from '../../domain/statistics/judge-series.ts';
import type { SeededGenerator } from './seeded-generator.ts';
import { latencies } from './simulated-series.ts';

export interface DetectionCell {
  samples: number;
  ratio: number;
  expectedPercent: number;
  measuredPercent: number;
}

const ratios = [1, 1.1, 1.3, 1.5, 2] as const;

/**
 * What the judge is held to: % of runs found High per samples a side and ratio, at 98 %, a
 * tolerance of 25 % and σ = 0.3. The figures are of 400 repetitions and so uncertain by up to
 * 2.5 points themselves.
 */
const expected: readonly (readonly [samples: number, percents: readonly number[]])[] = [
  [5, [0, 0.8, 1.5, 3.8, 28]],
  [10, [0.2, 0.2, 6.8, 34, 87]],
  [20, [0.2, 1.2, 26, 76, 100]],
  [30, [0.2, 2.8, 55, 97.5, 100]],
  [60, [0, 8.5, 93, 100, 100]],
];

/**
 * Many more than 400, or every tenth seed would miss by chance what the judge holds: 0.8 points
 * of uncertainty at most, and 0.4 where the table is furthest from the truth (few samples).
 */
const seedProofRepetitions = (samples: number): number =>
  Math.min(20_000, Math.max(4_000, Math.round(160_000 / samples)));

const isHigh = (chance: SeededGenerator, samples: number, ratio: number): boolean =>
  judgeSeries({
    control: latencies(chance, { samples, median: 0.12, spread: 0.3 }),
    experiment: latencies(chance, { samples, median: 0.12 * ratio, spread: 0.3 }),
    direction: 'increase',
    confidence: 0.98,
    tolerance: 0.25,
  }).verdict === 'high';

const measuredPercent = (isFound: () => boolean, repetitions: number): number => {
  let found = 0;
  for (let run = 0; run < repetitions; run += 1) if (isFound()) found += 1;
  return (100 * found) / repetitions;
};

export const measureDetection = (
  chance: SeededGenerator,
  repetitionsFor: (samples: number) => number = seedProofRepetitions,
): readonly DetectionCell[] =>
  expected.flatMap(([samples, percents]) =>
    ratios.map((ratio, column) => ({
      samples,
      ratio,
      expectedPercent: percents[column] ?? Number.NaN,
      measuredPercent: measuredPercent(
        () => isHigh(chance, samples, ratio),
        repetitionsFor(samples),
      ),
    })),
  );
