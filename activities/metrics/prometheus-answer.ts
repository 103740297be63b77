import { z } from 'zod';
import { codedFailure } from '../coded-failure.ts';
import type { QueryOutcome, RangeOutcome, RangeQuery, RangeSeries } from './port.ts';

/** More cannot be decided by a person either; it also bounds what a condition goes over. */
const maxNumbers = 100;
const maxSeries = 20;
const maxValues = 2_000;
const maxWarnings = 5;
const maxWarningChars = 200;

/** Seconds since 1970, and the number as text, because JSON knows neither NaN nor infinity. */
const Sample = z.tuple([z.number(), z.string()]);
const Labels = z.record(z.string(), z.string());

const Vector = z.array(z.object({ metric: Labels, value: Sample.optional() }));
const Matrix = z.array(z.object({ metric: Labels, values: z.array(Sample).optional() }));

/** The answer of `/api/v1/query` and `/api/v1/query_range` (prometheus.io/docs, HTTP API). */
export const PrometheusAnswer = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: Sample }),
    z.object({ resultType: z.literal('string'), result: Sample }),
    z.object({ resultType: z.literal('vector'), result: Vector }),
    z.object({ resultType: z.literal('matrix'), result: Matrix }),
  ]),
  warnings: z.array(z.string()).optional(),
});

export type PrometheusAnswer = z.output<typeof PrometheusAnswer>;

const invalid = (query: string, message: string): Error =>
  codedFailure({ code: 'METRICS_QUERY_INVALID', message, subject: query });

/** Other systems' words go into histories; they are kept short. */
const warningsOf = ({ warnings = [] }: PrometheusAnswer): string[] =>
  warnings.slice(0, maxWarnings).map((warning) => warning.slice(0, maxWarningChars));

/** What an instant query gives, as numbers or their absence. */
export const queryOutcome = (answer: PrometheusAnswer, query: string): QueryOutcome => {
  const samples = samplesOf(answer, query);
  const [first] = samples;
  if (first === undefined) return noData('The query gives no series.');
  if (samples.length > maxNumbers) {
    const count = String(samples.length);
    throw invalid(query, `The query gives ${count} series, more than ${String(maxNumbers)}.`);
  }
  const [seconds] = first;
  const atMs = Math.round(seconds * 1_000);
  const values = samples.map(([, text]) => Number(text)).filter(Number.isFinite);
  const withoutNumber = samples.length - values.length;
  const [value] = values;
  if (value === undefined) return noData(`The query gives no number but ${textsOf(samples)}.`);
  const warnings = warningsOf(answer);
  return samples.length === 1
    ? { state: 'value', value, atMs, warnings }
    : { state: 'series', values, withoutNumber, atMs, warnings };
};

const noData = (reason: string): { state: 'no-data'; reason: string } => ({
  state: 'no-data',
  reason,
});

type Sample = z.output<typeof Sample>;

const textsOf = (samples: readonly Sample[]): string =>
  [...new Set(samples.map(([, text]) => text))].join(', ');

const samplesOf = ({ data }: PrometheusAnswer, query: string): Sample[] => {
  if (data.resultType === 'scalar') return [data.result];
  if (data.resultType !== 'vector') {
    throw invalid(query, `The query gives a ${data.resultType}, not numbers at one time.`);
  }
  return data.result.map(({ value }) => value ?? refuseHistogram(query));
};

const refuseHistogram = (query: string): never => {
  throw invalid(query, 'The query gives histograms, not numbers; take a quantile or an average.');
};

/** What a query gave at each step of a range. */
export const rangeOutcome = (answer: PrometheusAnswer, request: RangeQuery): RangeOutcome => {
  const { data } = answer;
  const { query, startMs, stepMs } = request;
  if (data.resultType !== 'matrix') {
    throw invalid(query, `The query gives a ${data.resultType} over a range of time.`);
  }
  const steps = stepsOf(request);
  const count = data.result.length;
  if (count > maxSeries || count * steps > maxValues) {
    const limits = `${String(maxSeries)} series and ${String(maxValues)} values`;
    const given = `${String(count)} series of ${String(steps)} steps`;
    throw invalid(query, `The query gives ${given}, more than ${limits}.`);
  }
  const series = data.result.map(({ metric, values }): RangeSeries => {
    const numbers = onGrid(values ?? refuseHistogram(query), { startMs, stepMs, steps });
    return { labels: metric, values: numbers };
  });
  const hasNumber = series.some(({ values }) => values.some((value) => value !== null));
  if (!hasNumber) return noData('The query gives no number in this time.');
  return { state: 'series', startMs, stepMs, series, warnings: warningsOf(answer) };
};

export const stepsOf = ({ startMs, endMs, stepMs }: RangeQuery): number =>
  Math.floor((endMs - startMs) / stepMs) + 1;

interface Grid {
  startMs: number;
  stepMs: number;
  steps: number;
}

const onGrid = (
  samples: readonly Sample[],
  { startMs, stepMs, steps }: Grid,
): (number | null)[] => {
  const values = Array.from({ length: steps }, (): number | null => null);
  for (const [seconds, text] of samples) {
    const value = Number(text);
    const step = Math.round((seconds * 1_000 - startMs) / stepMs);
    if (Number.isFinite(value) && step >= 0 && step < steps) values[step] = value;
  }
  return values;
};
