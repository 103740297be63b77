import { z } from 'zod';
import { Duration } from '../shared/duration.ts';

const MetricName = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$/, 'must be a short name: letters, digits, hyphens')
  .describe('Name of the metric in gates and reports.');

const Query = z
  .string()
  .min(1)
  .max(2_000)
  .describe(
    'PromQL. `$service`, `$environment`, `$release`, `$stable` and `$candidate` (names of the Deployments) are filled in; in a comparison also `$workload`.',
  );

const Condition = z.string().min(1).max(500);

const conditions = {
  successCondition: Condition.optional().describe('CEL over `result` or `results`; true passes.'),
  failureCondition: Condition.optional().describe('CEL over `result` or `results`; true fails.'),
};

const limits = {
  failureLimit: z
    .number()
    .int()
    .min(-1)
    .max(1_000)
    .default(0)
    .describe('Failed measurements that are allowed; -1 for any number.'),
  inconclusiveLimit: z.number().int().min(0).max(1_000).default(0),
  consecutiveErrorLimit: z
    .number()
    .int()
    .min(0)
    .max(1_000)
    .default(4)
    .describe('Measurements in a row that may bring no answer.'),
  minSamples: z.number().int().min(1).max(1_000).default(1),
};

const dryRun = z
  .boolean()
  .default(false)
  .describe('Measured and reported, without a say in the release.');

const comparison = {
  direction: z
    .enum(['increase', 'decrease', 'either'])
    .default('increase')
    .describe('Which change counts as worse.'),
  confidencePercent: z.number().min(80).max(99.9).default(98),
  tolerance: z.number().min(0).max(0.9).default(0.25),
  effectThreshold: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('Smallest relative change that matters, e.g. 0.05.'),
};

const hasCondition = (metric: {
  successCondition?: unknown;
  failureCondition?: unknown;
}): boolean => metric.successCondition !== undefined || metric.failureCondition !== undefined;

const needsCondition = {
  message: 'a metric needs a successCondition or a failureCondition',
  path: ['successCondition'],
};

const IntervalMs = z.number().int().min(1_000).max(3_600_000);

const MeasuredMetric = z
  .strictObject({
    name: MetricName,
    query: Query,
    intervalMs: IntervalMs.default(30_000).describe('Time from one measurement to the next.'),
    ...conditions,
    ...limits,
    dryRun,
  })
  .refine(hasCondition, needsCondition)
  .describe('A number that is measured again and again and judged by conditions.');

const ComparedMetric = z
  .strictObject({
    name: MetricName,
    compare: Query.describe(
      'PromQL with `$workload`, asked for the stable version and the new one.',
    ),
    intervalMs: IntervalMs.default(60_000).describe('Time from one look to the next.'),
    stepMs: IntervalMs.default(5_000).describe('Distance of the samples of both series.'),
    ...comparison,
    dryRun,
  })
  .describe('Two series side by side, judged by a rank test; needs a new version beside the old.');

const asFewAsTen = 10;

/** What is measured while a new version is watched. */
export const AnalysisInput = z
  .strictObject({
    metrics: z
      .array(z.union([MeasuredMetric, ComparedMetric]))
      .min(1)
      .max(asFewAsTen),
    decideWithinMs: z
      .number()
      .int()
      .min(1_000)
      .max(7 * 86_400_000)
      .default(3_600_000)
      .describe('An inconclusive analysis waits so long for a decision; then it is put back.'),
  })
  .describe('Metrics by which the new version is judged while it is watched.');

export type AnalysisInput = z.output<typeof AnalysisInput>;

const MeasuredMetricFile = z
  .strictObject({
    name: MetricName,
    query: Query,
    interval: Duration.optional(),
    ...conditions,
    failureLimit: limits.failureLimit.unwrap().optional(),
    inconclusiveLimit: limits.inconclusiveLimit.unwrap().optional(),
    consecutiveErrorLimit: limits.consecutiveErrorLimit.unwrap().optional(),
    minSamples: limits.minSamples.unwrap().optional(),
    dryRun: z.boolean().optional(),
  })
  .refine(hasCondition, needsCondition)
  .transform(({ interval, ...metric }) => withMilliseconds(metric, { intervalMs: interval }));

const ComparedMetricFile = z
  .strictObject({
    name: MetricName,
    compare: Query,
    interval: Duration.optional(),
    step: Duration.optional(),
    direction: comparison.direction.unwrap().optional(),
    confidencePercent: comparison.confidencePercent.unwrap().optional(),
    tolerance: comparison.tolerance.unwrap().optional(),
    effectThreshold: comparison.effectThreshold,
    dryRun: z.boolean().optional(),
  })
  .transform(({ interval, step, ...metric }) =>
    withMilliseconds(metric, { intervalMs: interval, stepMs: step }),
  );

/** Leaves out what the file leaves out, so that the defaults of the contract apply. */
const withMilliseconds = <Metric extends object, Times extends Record<string, number | undefined>>(
  metric: Metric,
  times: Times,
): { [Key in keyof Metric]: Exclude<Metric[Key], undefined> } & { [Key in keyof Times]?: number } =>
  Object.fromEntries(
    Object.entries({ ...metric, ...times }).filter(([, value]) => value !== undefined),
  ) as never;

/** The same as people write it in `holdfast.yaml`. */
export const AnalysisFile = z
  .strictObject({
    metrics: z
      .array(z.union([MeasuredMetricFile, ComparedMetricFile]))
      .min(1)
      .max(asFewAsTen),
    decideWithin: Duration.optional(),
  })
  .transform(({ metrics, decideWithin }) => ({
    metrics,
    ...(decideWithin === undefined ? {} : { decideWithinMs: decideWithin }),
  }))
  .describe('Metrics by which the new version is judged while it is watched.');
