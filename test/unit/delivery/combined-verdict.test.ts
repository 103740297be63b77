import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AnalysisVerdict } from '../../../domain/delivery/analysis-verdict.ts';
import type { MetricVerdict } from '../../../domain/delivery/combined-verdict.ts';
import { combineVerdicts } from '../../../domain/delivery/combined-verdict.ts';

const verdict: fc.Arbitrary<AnalysisVerdict> = fc.constantFrom(
  'pass',
  'fail',
  'inconclusive',
  'error',
  'running',
);

const metricsOf = (dryRun: fc.Arbitrary<boolean>): fc.Arbitrary<MetricVerdict[]> =>
  fc
    .array(fc.record({ dryRun, verdict }), { maxLength: 6 })
    .map((metrics) => metrics.map((metric, index) => ({ metric: `metric-${index}`, ...metric })));

const counting = metricsOf(fc.constant(false));
const dryRuns = metricsOf(fc.constant(true)).map((metrics) =>
  metrics.map((metric) => ({ ...metric, metric: `dry-${metric.metric}` })),
);

const of = (metric: string, is: AnalysisVerdict, dryRun = false): MetricVerdict => ({
  metric,
  dryRun,
  verdict: is,
});

describe('the verdict of several metrics', () => {
  test('dry-run metrics never change the verdict', () => {
    fc.assert(
      fc.property(counting, dryRuns, (metrics, watched) => {
        const alone = combineVerdicts(metrics);
        const together = combineVerdicts([...watched, ...metrics]);
        expect([together.verdict, together.decidedBy]).toEqual([alone.verdict, alone.decidedBy]);
      }),
    );
  });

  test('when one metric fails its siblings are stopped, dry runs too', () => {
    fc.assert(
      fc.property(metricsOf(fc.boolean()), (metrics) => {
        const { verdict: combined, stop } = combineVerdicts([...metrics, of('latency', 'fail')]);
        const running = metrics.filter((metric) => metric.verdict === 'running');
        expect(combined).toBe('fail');
        expect(stop).toEqual(running.map(({ metric }) => metric));
      }),
    );
  });

  test('a dry run that fails stops nobody', () => {
    const metrics = [of('latency', 'running'), of('candidate', 'fail', true)];
    expect(combineVerdicts(metrics)).toEqual({
      verdict: 'running',
      decidedBy: ['latency'],
      stop: [],
    });
  });

  test('a pause or an unreadable source stops nobody, because a failure may still be proven', () => {
    for (const paused of ['inconclusive', 'error'] as const) {
      const metrics = [of('latency', paused), of('errors', 'running')];
      expect(combineVerdicts(metrics)).toEqual({
        verdict: paused,
        decidedBy: ['latency'],
        stop: [],
      });
    }
  });

  test('a proven failure never becomes a pause, and nothing passes while one metric runs', () => {
    fc.assert(
      fc.property(counting, (metrics) => {
        const { verdict: combined } = combineVerdicts(metrics);
        const has = (wanted: AnalysisVerdict) =>
          metrics.some((metric) => metric.verdict === wanted);
        expect(combined === 'fail').toBe(has('fail'));
        const allPass = metrics.length > 0 && metrics.every((metric) => metric.verdict === 'pass');
        expect(combined === 'pass').toBe(allPass);
      }),
    );
  });

  test('a pass does not wait for dry runs', () => {
    const metrics = [of('latency', 'pass'), of('candidate', 'running', true)];
    expect(combineVerdicts(metrics)).toEqual({
      verdict: 'pass',
      decidedBy: ['latency'],
      stop: ['candidate'],
    });
  });

  test('no metric that counts is no evidence', () => {
    expect(combineVerdicts([]).verdict).toBe('inconclusive');
    expect(combineVerdicts([of('candidate', 'pass', true)]).verdict).toBe('inconclusive');
  });
});
