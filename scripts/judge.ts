/**
 * Holds the statistical judge to what is promised of it: `npm run -s judge -- --seed N`. One
 * JSON object per figure on standard output, the same as a table on standard error. Ends with
 * 1 if a target is missed and with 2 if the seed is none.
 */
import type { Figure } from '../bench/figure.ts';
import { figure } from '../bench/figure.ts';
import { measureDetection } from './judge/detection-table.ts';
import { measureFalsePositives } from './judge/false-positives.ts';
import { measureInvariance } from './judge/invariance.ts';
import { parseSeed } from './judge/seed-argument.ts';
import type { SeededGenerator } from './judge/seeded-generator.ts';
import { seededGenerator } from './judge/seeded-generator.ts';
import { measureStatedPower } from './judge/stated-power.ts';

/** A figure whose target is a distance from `expected`. */
interface JudgeFigure extends Figure {
  expected?: number;
  measured?: number;
}

const pointsAllowed = 5;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const mark = (line: Figure): string => (line.holds === false ? '  MISSED' : '');
const percent = (value: number): string => value.toFixed(2).padStart(6);

const distance = (metric: string, expected: number, measured: number): JudgeFigure => ({
  ...figure({
    bench: 'judge',
    metric,
    value: Math.abs(measured - expected),
    unit: 'points',
    target: pointsAllowed,
  }),
  expected,
  measured,
});

const falsePositives = (chance: SeededGenerator): readonly JudgeFigure[] => {
  say('False alarms where nothing changed (log-normal latency; rare errors), % of runs');
  return measureFalsePositives(chance).map(({ runs, percent: value, ...rest }) => {
    const line = figure({ bench: 'judge', ...rest, value, unit: '% of runs' });
    const target = line.target === undefined ? 'to compare with' : `at most ${line.target}`;
    say(`  ${rest.metric.padEnd(40)}${percent(value)}  of ${runs}, ${target}${mark(line)}`);
    return line;
  });
};

const detection = (chance: SeededGenerator): readonly JudgeFigure[] => {
  say('\nFound High, % of runs          expected  measured  difference');
  return measureDetection(chance).map((cell) => {
    const { samples, ratio, expectedPercent, measuredPercent } = cell;
    const metric = `detection_n${samples}_x${ratio}`;
    const line = distance(metric, expectedPercent, measuredPercent);
    const off = (measuredPercent - expectedPercent).toFixed(2).padStart(6);
    const row = `  ${samples} samples a side, x${ratio}`.padEnd(31);
    say(
      `${row}  ${percent(expectedPercent)}    ${percent(measuredPercent)}      ${off}${mark(line)}`,
    );
    return line;
  });
};

const statedPower = (chance: SeededGenerator): readonly JudgeFigure[] => {
  say('\nFound where the change is as large as the step is said to see, % of runs');
  return measureStatedPower(chance).map(({ step, change, expectedPercent, measuredPercent }) => {
    const line = distance(`stated_power_${step}`, expectedPercent, measuredPercent);
    const size = `+${(100 * change).toFixed(0)} %`;
    say(
      `  ${step.padEnd(12)}${size.padStart(8)}  ${percent(measuredPercent)} for ${expectedPercent}${mark(line)}`,
    );
    return line;
  });
};

const invariance = (chance: SeededGenerator): readonly JudgeFigure[] => {
  const { comparisons, verdicts, changed } = measureInvariance(chance);
  const seen = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  say(`\nVerdicts that changed, of ${comparisons} (${seen.join(', ')})`);
  return changed.map(({ by, verdicts: value }) => {
    const metric = `verdicts_changed_by_${by === 'order' ? by : `scale_${by}`}`;
    const line = figure({ bench: 'judge', metric, value, unit: 'verdicts', target: 0 });
    say(`  ${by.padEnd(12)}${String(value).padStart(6)}${mark(line)}`);
    return line;
  });
};

const run = (seed: bigint): number => {
  const chance = seededGenerator(seed);
  let missed = 0;
  for (const measure of [falsePositives, detection, statedPower, invariance]) {
    for (const line of measure(chance)) {
      process.stdout.write(`${JSON.stringify(line)}\n`);
      if (line.holds === false) missed += 1;
    }
  }
  say(missed === 0 ? '\nEvery target is met.' : `\n${missed} targets are missed.`);
  return missed === 0 ? 0 : 1;
};

const main = (args: readonly string[]): number => {
  let seed: bigint;
  try {
    seed = parseSeed(args);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 2;
  }
  return run(seed);
};

process.exitCode = main(process.argv.slice(2));
