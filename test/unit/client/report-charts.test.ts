import { describe, expect, test } from '@jest/globals';
import { niceStep, positionIn, timeTicks, valueTicks } from '../../../client/cli/report/axes.ts';
import { renderChart, type Chart } from '../../../client/cli/report/chart.ts';
import {
  failureRatioLines,
  greatestOf,
  measuredShareLine,
  versionsOf,
} from '../../../client/cli/report/traffic-series.ts';
import { verdictMarks, weightChanges } from '../../../client/cli/report/rollout-moments.ts';
import { nowMs } from './known-releases.ts';
import { report, samples } from './known-report.ts';

describe('axes', () => {
  test.each([
    [1, 4, 0.5],
    [0.01, 4, 0.005],
    [100, 4, 50],
    [37, 4, 10],
    [0.0003, 4, 0.0001],
  ])('%d in at most %d parts are steps of %d', (span, most, step) => {
    expect(niceStep(span, most)).toBeCloseTo(step, 12);
  });

  test('value ticks begin at zero, hold the greatest, and are not sums of rounding errors', () => {
    const format = (value: number): string => String(value);
    const ticks = valueTicks(0.3, { mostTicks: 4, format });
    expect(ticks.map(({ label }) => label)).toEqual(['0', '0.1', '0.2', '0.3']);
    expect(valueTicks(100, { mostTicks: 4, format }).at(-1)?.at).toBe(100);
    expect(valueTicks(0, { mostTicks: 4, format }).length).toBeGreaterThan(1);
  });

  test('time ticks are round times of day, and never more than fit', () => {
    const labels = (spanMs: number): string[] =>
      timeTicks({ from: nowMs, to: nowMs + spanMs }, 8).map(({ label }) => label);
    expect(labels(10_000)).toContain('03:10:02');
    expect(labels(20 * 60_000)).toEqual(['03:10', '03:15', '03:20', '03:25', '03:30']);
    expect(labels(5 * 86_400_000)).toContain('11-23');
    for (const spanMs of [1, 7_000, 61_000, 3e6, 4e7, 9e8]) {
      expect(labels(spanMs).length).toBeLessThanOrEqual(9);
    }
  });

  test('a range without length has one position, not a division by zero', () => {
    expect(positionIn({ from: 5, to: 5 }, 5, { from: 0, to: 10 })).toBe(0);
  });
});

describe('series of versions', () => {
  test('which version is new follows from the shares, and is not guessed at even shares', () => {
    expect(versionsOf(samples).map(({ version, role }) => [version, role])).toEqual([
      ['2.4.1', 'new'],
      ['2.4.0', 'old'],
    ]);
    const even = samples.filter(({ weightPercent }) => weightPercent === 50);
    expect(versionsOf(even).map(({ role }) => role)).toEqual(['other', 'other']);
    expect(measuredShareLine(even, versionsOf(even))).toEqual([]);
  });

  test('versions that nobody tells apart are one line', () => {
    const counts = { samples: 10, failures: 0, latencyP50Ms: 1, latencyP99Ms: 2 };
    const plain = [{ atMs: 1, gate: 'bake', versions: [{ version: '', ...counts }] }];
    expect(versionsOf(plain)).toEqual([{ version: '', name: 'all answers', role: 'other' }]);
  });

  test('where nothing was counted there is a gap, not a zero', () => {
    const [first] = samples;
    if (first === undefined) throw new Error('there are no known samples');
    const without = { ...first, versions: first.versions.map((one) => ({ ...one, samples: 0 })) };
    const [line] = failureRatioLines([first, without, first], versionsOf(samples));
    expect(line?.stretches.map((points) => points.length)).toEqual([1, 1]);
    expect(versionsOf([])).toEqual([]);
    expect(greatestOf([])).toBe(0);
  });

  test('each gate is a stretch of its own, with ratios and words for each point', () => {
    const [line] = failureRatioLines(samples, versionsOf(samples));
    expect(line?.stretches.map((points) => points.length)).toEqual([10, 4]);
    expect(greatestOf(line === undefined ? [] : [line])).toBe(0.02);
    expect(line?.stretches[1]?.at(-1)?.label).toBe(
      '02:57:00 UTC: 2.4.1: 12 of 600 failed (2.00 %)',
    );
  });
});

describe('what happened when', () => {
  test('the wanted share is that of the timeline, and nothing from the way back on', () => {
    expect(weightChanges(report()).map(({ weightPercent }) => weightPercent)).toEqual([10, 50, 0]);
  });

  test('without a timeline the samples have to do', () => {
    expect(weightChanges(report({ timeline: null })).at(-1)?.weightPercent).toBe(50);
  });

  test('a switch of Services is all or nothing', () => {
    const timeline = [{ atMs: 1, what: 'switch Service/shop: done, 3 endpoints' }];
    expect(weightChanges(report({ timeline }))).toEqual([{ atMs: 1, weightPercent: 100 }]);
  });

  test('a gate whose end nobody told has no mark', () => {
    const gate = { name: 'bake', verdict: 'pass' as const, note: '', samples: 1, failures: 0 };
    expect(verdictMarks([{ number: 1, gate, atMs: undefined }])).toEqual([]);
  });
});

describe('a chart', () => {
  const chart = (changes: Partial<Chart> = {}): Chart => ({
    summary: 'a chart',
    timeRange: { from: nowMs, to: nowMs + 60_000 },
    greatest: 1,
    format: (value) => String(value),
    lines: [],
    marks: [],
    ...changes,
  });
  const numberOf = (drawn: string, pattern: RegExp): number[] =>
    [...drawn.matchAll(pattern)].map(([, value]) => Number(value));

  test('draws every stretch as a line of its own, and every point with its words', () => {
    const points = [0, 30_000, 60_000].map((offset) => ({
      atMs: nowMs + offset,
      value: 0.5,
      label: `at <${String(offset)}>`,
    }));
    const lines = [{ role: 'new', stretches: [points.slice(0, 2), points.slice(2)] }];
    const { markup } = renderChart(chart({ lines }));
    expect(markup.match(/<polyline/g)).toHaveLength(2);
    expect(markup).toContain('<title>at &lt;30000&gt;</title>');
    expect(markup).toContain('points="58,121 462,121"');
    expect(markup).not.toContain('NaN');
  });

  test('numbers of verdicts that are close together are put side by side', () => {
    const marks = [0, 100, 200].map((offset, index) => ({
      atMs: nowMs + offset,
      number: index + 1,
      tone: 'good' as const,
      label: 'x',
    }));
    const badges = numberOf(renderChart(chart({ marks })).markup, /<circle cx="([\d.]+)"/g);
    expect(badges).toHaveLength(3);
    for (const [index, x] of badges.entries()) {
      if (index > 0) expect(x - (badges[index - 1] ?? 0)).toBeGreaterThanOrEqual(16);
    }
  });

  test('a limit is a line with its words', () => {
    const { markup } = renderChart(chart({ limit: { value: 0.5, label: 'limit 50 %' } }));
    expect(markup).toContain('class="limit"');
    expect(markup).toContain('limit 50 %');
  });
});
