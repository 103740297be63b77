import { percentText } from '../explain/wording.ts';
import type { Range } from './axes.ts';
import { renderChart, type Line, type VerdictMark } from './chart.ts';
import { tag, type Content, type Markup } from './markup.ts';
import { samplesOf, type ReleaseReport } from './release-report.ts';
import { verdictMarks, wantedLine, weightChanges, type TimedGate } from './rollout-moments.ts';
import {
  failureRatioLines,
  greatestOf,
  latencyLines,
  measuredShareLine,
  versionsOf,
  type SeenVersion,
} from './traffic-series.ts';

interface Shown {
  report: ReleaseReport;
  versions: readonly SeenVersion[];
  marks: readonly VerdictMark[];
  timeRange: Range;
}

/** What users met while the new version took over: its share, failures and latency over time. */
export const trafficSection = (report: ReleaseReport, gates: readonly TimedGate[]): Markup => {
  const samples = samplesOf(report);
  const marks = verdictMarks(gates);
  const changes = weightChanges(report).map(({ atMs }) => atMs);
  const times = [samples.map(({ atMs }) => atMs), changes, marks.map(({ atMs }) => atMs)].flat();
  const shown: Shown = {
    report,
    versions: versionsOf(samples),
    marks,
    timeRange: paddedRange(times),
  };
  const charts = [...shareChart(shown), ...failureChart(shown), ...latencyChart(shown)];
  const nothing = tag('p', { class: 'none' }, noTraffic(gates));
  return tag(
    'section',
    { id: 'traffic' },
    tag('h2', {}, 'Traffic'),
    charts.length === 0 ? nothing : charts,
    charts.length > 0 && samples.length === 0 ? nothing : [],
  );
};

const leastSpanMs = 10_000;

/** The time in which something was counted or decided, with a little room on both sides. */
const paddedRange = (times: readonly number[]): Range => {
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const pad = Math.max((to - from) * 0.03, (leastSpanMs - (to - from)) / 2, 0);
  return { from: from - pad, to: to + pad };
};

/** No data is told as such, with the reason that a gate gave. */
const noTraffic = (gates: readonly TimedGate[]): string => {
  const reason = gates.find(({ gate }) => gate.verdict === 'not-measured')?.gate.note;
  return `No traffic was counted${reason === undefined || reason === '' ? '' : `: ${reason}`}.`;
};

const shareChart = ({ report, versions, marks, timeRange }: Shown): Markup[] => {
  const changes = weightChanges(report);
  if (!changes.some(({ weightPercent }) => weightPercent > 0)) return [];
  const measured = measuredShareLine(samplesOf(report), versions);
  const lines = [...measured, wantedLine(changes, timeRange)];
  const legend: LegendEntry[] = [
    { role: 'wanted', label: 'wanted' },
    ...(measured.length === 0 ? [] : [{ role: 'measured', label: 'measured in the answers' }]),
  ];
  const chart = {
    summary: 'Share of the traffic that the new version was given and had, over time',
    ...{ timeRange, lines, marks, greatest: 100 },
    format: (value: number) => `${String(value)} %`,
  };
  return [figure('Share of the new version', legend, renderChart(chart))];
};

const failureChart = ({ report, versions, marks, timeRange }: Shown): Markup[] => {
  const lines = failureRatioLines(samplesOf(report), versions);
  if (isEmpty(lines)) return [];
  const limit = report.facts.input?.bake?.maxFailureRatio;
  const chart = {
    summary: 'Failed share of the requests of each version, over time',
    ...{ timeRange, lines, marks },
    greatest: Math.max(greatestOf(lines), (limit ?? 0) * 1.5, 0.001),
    format: shortPercent,
    ...(limit === undefined
      ? {}
      : { limit: { value: limit, label: `limit ${percentText(limit)}` } }),
  };
  return [figure('Failed requests', versionLegend(versions), renderChart(chart))];
};

const latencyChart = ({ report, versions, marks, timeRange }: Shown): Markup[] => {
  const lines = latencyLines(samplesOf(report), versions);
  if (isEmpty(lines)) return [];
  const chart = {
    summary: 'Latency of each version, median and 99th percentile, over time',
    ...{ timeRange, lines, marks },
    greatest: Math.max(greatestOf(lines), 1),
    format: (value: number) => `${String(value)} ms`,
  };
  const legend = versionLegend(versions).flatMap(({ role, label }) => [
    { role: `${role} p50`, label: `${label}, p50` },
    { role: `${role} p99`, label: `${label}, p99` },
  ]);
  return [figure('Latency', legend, renderChart(chart))];
};

const isEmpty = (lines: readonly Line[]): boolean =>
  lines.every(({ stretches }) => stretches.length === 0);

const shortPercent = (ratio: number): string => `${String(Number((ratio * 100).toPrecision(6)))} %`;

interface LegendEntry {
  role: string;
  label: string;
}

const versionLegend = (versions: readonly SeenVersion[]): LegendEntry[] =>
  versions.map(({ name, role }) => ({
    role,
    label: role === 'other' ? name : `${name} (${role})`,
  }));

const figure = (title: string, legend: readonly LegendEntry[], chart: Markup): Markup => {
  const entries: Content[] = legend.map(({ role, label }) =>
    tag(
      'span',
      { class: 'key' },
      tag(
        'svg',
        { viewBox: '0 0 28 10', 'aria-hidden': 'true' },
        tag('g', { class: `line ${role}` }, tag('polyline', { points: '1,5 27,5' })),
      ),
      label,
    ),
  );
  return tag(
    'figure',
    {},
    tag('figcaption', {}, tag('strong', {}, title), tag('span', { class: 'legend' }, entries)),
    chart,
  );
};
