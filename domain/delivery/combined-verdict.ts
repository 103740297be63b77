import type { AnalysisVerdict } from './analysis-verdict.ts';

export interface MetricVerdict {
  metric: string;
  /** Watched and reported, without a say in the release. */
  dryRun: boolean;
  verdict: AnalysisVerdict;
}

export interface CombinedVerdict {
  verdict: AnalysisVerdict;
  /** The metrics whose verdict it is. */
  decidedBy: readonly string[];
  /** What still runs and can change nothing any more. */
  stop: readonly string[];
}

/**
 * The first of these that any metric has counts. A failure goes before a pause and before an
 * error of a source, and while one metric runs nothing has passed.
 */
const order = ['fail', 'inconclusive', 'error', 'running', 'pass'] as const;

/**
 * The verdict of several metrics together. Dry-run metrics neither change it nor hold it up.
 * A failed metric stops its siblings, and so does a pass of all that count. Under inconclusive
 * and error they go on: one of them may still prove a failure. Without any metric that counts
 * it is inconclusive, because no evidence is no success.
 */
export const combineVerdicts = (metrics: readonly MetricVerdict[]): CombinedVerdict => {
  const counting = metrics.filter(({ dryRun }) => !dryRun);
  const verdict =
    order.find((candidate) => counting.some((metric) => metric.verdict === candidate)) ??
    'inconclusive';
  const isOver = verdict === 'fail' || verdict === 'pass';
  const named = (chosen: readonly MetricVerdict[]): readonly string[] =>
    chosen.map(({ metric }) => metric);
  return {
    verdict,
    decidedBy: named(counting.filter((metric) => metric.verdict === verdict)),
    stop: isOver ? named(metrics.filter((metric) => metric.verdict === 'running')) : [],
  };
};
