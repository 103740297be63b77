import { positionIn, timeTicks, valueTicks, type Range } from './axes.ts';
import { tag, text, type Markup } from './markup.ts';

/** One measured value, with the words for whoever points at it. */
export interface Point {
  atMs: number;
  value: number;
  label: string;
}

/** A line of a chart. `role` decides colour and dashes; gaps are gaps: nothing is invented. */
export interface Line {
  role: string;
  /** Points that belong together; between two stretches nothing was measured. */
  stretches: readonly (readonly Point[])[];
}

/** A verdict at its time; its number is that of the table of gates. */
export interface VerdictMark {
  atMs: number;
  number: number;
  tone: 'good' | 'bad' | 'odd';
  label: string;
}

export interface Chart {
  /** For those who cannot see it. */
  summary: string;
  timeRange: Range;
  /** The value axis begins at zero and holds at least this. */
  greatest: number;
  format: (value: number) => string;
  lines: readonly Line[];
  marks: readonly VerdictMark[];
  /** A value that must not be crossed. */
  limit?: { value: number; label: string } | undefined;
}

const size = { width: 880, height: 240 };
const plot = { left: 58, right: 866, top: 34, bottom: 208 };
const acrossPixels: Range = { from: plot.left, to: plot.right };
const upPixels: Range = { from: plot.bottom, to: plot.top };

/** A chart over time as inline SVG. */
export const renderChart = (chart: Chart): Markup => {
  const { timeRange, greatest, format } = chart;
  const ticks = valueTicks(greatest, { mostTicks: 4, format });
  const scale: Scale = {
    x: (atMs) => rounded(positionIn(timeRange, atMs, acrossPixels)),
    y: (value) =>
      rounded(positionIn({ from: 0, to: ticks.at(-1)?.at ?? greatest }, value, upPixels)),
  };
  return tag(
    'svg',
    {
      viewBox: `0 0 ${String(size.width)} ${String(size.height)}`,
      role: 'img',
      'aria-label': chart.summary,
    },
    ticks.map(({ at, label }) => valueTick(scale.y(at), label)),
    timeTicks(timeRange, 8).map(({ at, label }) => timeTick(scale.x(at), label)),
    chart.limit === undefined ? [] : limitLine(scale.y(chart.limit.value), chart.limit.label),
    markLines(chart.marks, scale),
    // The first line is the one that matters most: it is drawn last, on top of the others.
    chart.lines.toReversed().map((line) => lineOf(line, scale)),
  );
};

interface Scale {
  x: (atMs: number) => number;
  y: (value: number) => number;
}

const rounded = (pixels: number): number => Math.round(pixels * 10) / 10;

const valueTick = (y: number, label: string): Markup =>
  tag(
    'g',
    { class: 'tick' },
    tag('line', { x1: plot.left, x2: plot.right, y1: y, y2: y }),
    tag('text', { x: plot.left - 8, y: y + 4, 'text-anchor': 'end' }, label),
  );

const timeTick = (x: number, label: string): Markup =>
  tag(
    'g',
    { class: 'tick' },
    tag('line', { x1: x, x2: x, y1: plot.bottom, y2: plot.bottom + 5 }),
    tag('text', { x, y: plot.bottom + 20, 'text-anchor': 'middle' }, label),
  );

const limitLine = (y: number, label: string): Markup =>
  tag(
    'g',
    { class: 'limit' },
    tag('line', { x1: plot.left, x2: plot.right, y1: y, y2: y }),
    tag('text', { x: plot.left + 4, y: y - 5 }, label),
  );

const markWidth = 20;

/** Numbers of marks that are close together are put side by side; their lines stay in place. */
const markLines = (marks: readonly VerdictMark[], scale: Scale): Markup[] => {
  let free = plot.left - markWidth;
  return marks.map(({ atMs, number, tone, label }) => {
    const x = scale.x(atMs);
    const badge = Math.max(x, free);
    free = badge + markWidth;
    const top = plot.top - 16;
    return tag(
      'g',
      { class: `mark ${tone}` },
      tag('title', {}, label),
      tag('path', {
        d: `M${String(badge)} ${String(top + 8)} L${String(x)} ${String(plot.top)} V${String(plot.bottom)}`,
      }),
      tag('circle', { cx: badge, cy: top, r: 8 }),
      tag('text', { x: badge, y: top + 4, 'text-anchor': 'middle' }, String(number)),
    );
  });
};

const lineOf = ({ role, stretches }: Line, scale: Scale): Markup =>
  tag(
    'g',
    { class: `line ${role}` },
    stretches.map((points) => [
      tag('polyline', {
        points: points
          .map(({ atMs, value }) => `${String(scale.x(atMs))},${String(scale.y(value))}`)
          .join(' '),
      }),
      points.map(({ atMs, value, label }) =>
        tag(
          'circle',
          { cx: scale.x(atMs), cy: scale.y(value), r: 3 },
          tag('title', {}, text(label)),
        ),
      ),
    ]),
  );
