import type { SeededGenerator } from './seeded-generator.ts';

const { exp, floor, log } = Math;

/** Log-normal latencies in seconds: independent, with a median and a spread of the logarithms. */
export const latencies = (
  chance: SeededGenerator,
  series: { samples: number; median: number; spread: number },
): readonly number[] =>
  Array.from(
    { length: series.samples },
    () => series.median * exp(series.spread * chance.normal()),
  );

/** Small whole numbers, so that many are equal and many differences sit on a threshold. */
export const smallCounts = (
  chance: SeededGenerator,
  series: { samples: number; below: number },
): readonly number[] => Array.from({ length: series.samples }, () => chance.whole(series.below));

/** The same values in another order (Fisher and Yates). */
export const shuffled = (chance: SeededGenerator, values: readonly number[]): readonly number[] => {
  const result = [...values];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = chance.whole(last + 1);
    const kept = result[last] ?? 0;
    result[last] = result[other] ?? 0;
    result[other] = kept;
  }
  return result;
};

/** How many of so many independent trials are events, by drawing the gaps between events. */
export const eventsOf = (
  chance: SeededGenerator,
  { trials, rate }: { trials: number; rate: number },
): number => {
  const gap = (): number => floor(log(1 - chance.uniform()) / log(1 - rate));
  let events = 0;
  for (let trial = gap(); trial < trials; trial += 1 + gap()) events += 1;
  return events;
};
