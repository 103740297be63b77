import { renderChart, type Chart } from '../../client/cli/report/chart.ts';
import { styleSheet, tag, type Markup } from '../../client/cli/report/markup.ts';
import { chartStyle } from '../../client/cli/report/style.ts';

export interface Picture {
  chart: Chart;
  /** Lines by role, as they are drawn; without one it is a remark. */
  legend: readonly { role?: string; label: string }[];
}

const width = 880;
const chartHeight = 240;
const lineHeight = 18;

/** What the lines and the numbered marks mean, below the chart. */
const legendOf = ({ legend, chart }: Picture): Markup[] => [
  ...legend.map(({ role, label }, index) =>
    tag(
      'g',
      { transform: `translate(${String(58 + index * 240)} ${String(chartHeight + 10)})` },
      role === undefined
        ? []
        : tag('g', { class: `line ${role}` }, tag('polyline', { points: '0,0 26,0' })),
      tag('text', { x: 34, y: 4 }, label),
    ),
  ),
  ...chart.marks.map(({ number, label }, index) =>
    tag(
      'text',
      { x: 58, y: chartHeight + 14 + (index + 1) * lineHeight },
      `${String(number)}  ${label}`,
    ),
  ),
];

/** A chart as an SVG file of its own, with its legend. */
export const drawPicture = (picture: Picture): string => {
  const height = chartHeight + (picture.chart.marks.length + 2) * lineHeight;
  const sized = renderChart(picture.chart).markup.replace(
    '<svg ',
    `<svg width="${String(width)}" height="${String(chartHeight)}" `,
  );
  const svg = tag(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${String(width)} ${String(height)}`,
      role: 'img',
      'aria-label': picture.chart.summary,
    },
    styleSheet(chartStyle),
    tag('rect', { width, height, style: 'fill: var(--paper)' }),
    { markup: sized },
    legendOf(picture),
  );
  return `${svg.markup}\n`;
};
