import { beforeAll, describe, expect, test } from '@jest/globals';
import type { MetricsSource } from '../../activities/metrics/port.ts';

/** A source of metrics and a way to have something measured. */
export interface MetricsSite {
  source: MetricsSource;
  /** An environment with metrics. */
  environment: string;
  /** Environments that are known, without a source and with one that does not answer. */
  withoutSource: string;
  away: string;
  /**
   * Has the metric give these numbers, each as a series with the label `series` of its index, and
   * returns once the source knows; no numbers take the metric away.
   */
  measure(metric: string, numbers: readonly number[]): Promise<void>;
}

const minuteMs = 60_000;
const noData = { state: 'no-data', reason: expect.stringMatching(/^The .*\.$/) };

/** The promises of a `MetricsSource`, whatever measures. */
export const describeMetricsSource = (name: string, openSite: () => Promise<MetricsSite>): void => {
  describe(`metrics from ${name}`, () => {
    let site: MetricsSite;
    const query = async (text: string, rest: { atMs?: number; freshnessMs?: number } = {}) =>
      site.source.query({ environment: site.environment, query: text, ...rest });

    beforeAll(async () => {
      site = await openSite();
    });

    test('one series is a number', async () => {
      await site.measure('conformance_one', [0.25]);
      const outcome = await query('conformance_one');
      expect(outcome).toMatchObject({ state: 'value', value: 0.25, warnings: [] });
    });

    test('several series are all of their numbers', async () => {
      await site.measure('conformance_several', [3, 1, 2]);
      const outcome = await query('conformance_several');
      expect(outcome).toMatchObject({ state: 'series', withoutNumber: 0 });
      expect('values' in outcome ? outcome.values.toSorted() : []).toEqual([1, 2, 3]);
    });

    test('a metric that nobody measures is no data', async () => {
      expect(await query('conformance_never')).toEqual(noData);
    });

    test.each([
      ['not a number', 'nan', Number.NaN],
      ['infinite', 'infinite', Number.POSITIVE_INFINITY],
      ['infinite below zero', 'negative_infinite', Number.NEGATIVE_INFINITY],
    ])('what is %s is no data', async (_what, suffix, number) => {
      await site.measure(`conformance_${suffix}`, [number]);
      expect(await query(`conformance_${suffix}`)).toEqual(noData);
    });

    test('zero is a number', async () => {
      await site.measure('conformance_zero', [0]);
      expect(await query('conformance_zero')).toMatchObject({ state: 'value', value: 0 });
    });

    test('series without a number are counted beside those that have one', async () => {
      await site.measure('conformance_partly', [Number.NaN, 5, Number.NaN]);
      expect(await query('conformance_partly')).toMatchObject({
        state: 'series',
        values: [5],
        withoutNumber: 2,
      });
    });

    test('several series without any number are no data', async () => {
      await site.measure('conformance_none', [Number.NaN, Number.NaN]);
      expect(await query('conformance_none')).toEqual(noData);
    });

    test('what is measured no more is no data at once, not its last number', async () => {
      await site.measure('conformance_gone', [1]);
      expect(await query('conformance_gone')).toMatchObject({ state: 'value', value: 1 });
      await site.measure('conformance_gone', []);
      expect(await query('conformance_gone')).toEqual(noData);
    });

    test('the time that is asked about counts, and how old a number may be', async () => {
      const beforeMs = Date.now() - minuteMs;
      await site.measure('conformance_timed', [7]);
      expect(await query('conformance_timed', { atMs: beforeMs })).toEqual(noData);
      const atMs = Date.now() + minuteMs;
      expect(await query('conformance_timed', { atMs })).toMatchObject({ value: 7, atMs });
      expect(await query('conformance_timed', { atMs, freshnessMs: 1_000 })).toEqual(noData);
    });

    test('a range has a number or nothing for each of its steps', async () => {
      const startMs = Date.now() - minuteMs;
      await site.measure('conformance_range', [4, 4]);
      const outcome = await site.source.queryRange({
        environment: site.environment,
        query: 'conformance_range',
        startMs,
        endMs: startMs + 2 * minuteMs,
        stepMs: 30_000,
      });
      expect(outcome).toMatchObject({ state: 'series', startMs, stepMs: 30_000, warnings: [] });
      const series = 'series' in outcome ? outcome.series : [];
      expect(series.map(({ labels }) => labels['series']).toSorted()).toEqual(['0', '1']);
      for (const { values } of series) {
        expect(values).toHaveLength(5);
        expect([values[0], values[1], values[4]]).toEqual([null, null, 4]);
      }
    });

    test('a range without any number is no data', async () => {
      const range = { startMs: Date.now() - minuteMs, endMs: Date.now(), stepMs: 1_000 };
      const { environment } = site;
      const never = { environment, query: 'conformance_never_ranged', ...range };
      expect(await site.source.queryRange(never)).toEqual(noData);
      await site.measure('conformance_range_nan', [Number.NaN]);
      const nan = { environment, query: 'conformance_range_nan', ...range };
      expect(await site.source.queryRange({ ...nan, endMs: Date.now() })).toEqual(noData);
    });

    test.each([
      ['ends before it starts', { startMs: 10_000, endMs: 0, stepMs: 1_000 }],
      ['has too many steps', { startMs: 0, endMs: 1_000_000, stepMs: 500 }],
      ['has steps of no length', { startMs: 0, endMs: 1_000, stepMs: 0 }],
    ])('a range that %s is refused', async (_how, range) => {
      const { environment } = site;
      const request = { environment, query: 'conformance_one', ...range };
      await expect(site.source.queryRange(request)).rejects.toMatchObject({
        type: 'INVALID_INPUT',
        nonRetryable: true,
      });
    });

    test('a query with a mistake is refused for good', async () => {
      await expect(query('sum(conformance_one')).rejects.toMatchObject({
        type: 'METRICS_QUERY_INVALID',
        nonRetryable: true,
        details: [expect.objectContaining({ subject: 'sum(conformance_one' })],
      });
    });

    test('a source that is away is asked again later', async () => {
      const request = { environment: site.away, query: 'conformance_one' };
      await expect(site.source.query(request)).rejects.toMatchObject({
        type: 'METRICS_UNAVAILABLE',
        nonRetryable: false,
      });
    });

    test.each([
      ['without a source', () => site.withoutSource, 'CONFIGURATION_INVALID'],
      ['that nobody knows', () => 'moon', 'ENVIRONMENT_UNKNOWN'],
    ])('an environment %s is refused', async (_what, environment, code) => {
      const request = { environment: environment(), query: 'conformance_one' };
      await expect(site.source.query(request)).rejects.toMatchObject({
        type: code,
        nonRetryable: true,
        message: expect.stringContaining(environment()),
      });
    });
  });
};
