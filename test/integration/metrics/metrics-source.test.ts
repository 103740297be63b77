import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createMeasurements, createPrometheusMetrics } from '../../../activities/metrics/index.ts';
import type { MetricsSource } from '../../../activities/metrics/port.ts';
import type { EnvironmentsFile } from '../../../contracts/shared/environments-file.ts';
import { sandboxDown, startPrometheus } from '../../../sandbox/index.ts';
import { describeMetricsSource, type MetricsSite } from '../../conformance/metrics-source.ts';
import { createInMemoryMetrics } from '../../fakes/in-memory-metrics.ts';
import { closedAddress } from '../traffic/http-target.ts';
import { startScrapedTarget, untilScraped, type ScrapedTarget } from './scraped-target.ts';

// The first machine to run this builds Prometheus.
jest.setTimeout(20 * 60_000);

let directory: string;
let target: ScrapedTarget;
let source: MetricsSource;
let prometheusUrl: string;

const environmentsWith = (url: string, awayUrl: string): EnvironmentsFile => {
  const place = { context: 'c', namespace: 'n', traffic: 'none' } as const;
  return {
    environments: {
      production: { ...place, metrics: { prometheus: { url } } },
      island: { ...place, metrics: { prometheus: { url: awayUrl } } },
      attic: place,
    },
  };
};

const places = { environment: 'production', withoutSource: 'attic', away: 'island' };

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'holdfast-metrics-'));
  target = await startScrapedTarget();
  const prometheus = await startPrometheus({
    stateDirectory: path.join(directory, 'sandbox'),
    scrapes: [{ job: 'shop', targets: [target.address] }],
    scrapeEveryMs: 100,
    onProgress: () => undefined,
  });
  prometheusUrl = prometheus.url;
  source = createPrometheusMetrics({
    environments: environmentsWith(prometheusUrl, await closedAddress()),
    directory,
  });
});

afterAll(async () => {
  await sandboxDown(path.join(directory, 'sandbox'));
  await target.close();
  await rm(directory, { recursive: true });
});

const measure: MetricsSite['measure'] = async (metric, numbers) => {
  target.set(metric, numbers);
  await untilScraped(prometheusUrl, metric, numbers);
};

describeMetricsSource('Prometheus', () => Promise.resolve({ source, ...places, measure }));

describeMetricsSource('memory', () => {
  const { metrics, knobs } = createInMemoryMetrics(environmentsWith('http://m', 'http://a'));
  knobs.away.add('island');
  const set: MetricsSite['measure'] = (metric, numbers) => {
    knobs.set(metric, numbers);
    return Promise.resolve();
  };
  return Promise.resolve({ source: metrics, ...places, measure: set });
});

/** A query that gives so many series by itself. */
const manySeries = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `label_replace(vector(1), "n", "${String(index)}", "", "")`,
  ).join(' or ');

const query = async (text: string) => source.query({ environment: 'production', query: text });

describe('what a real Prometheus gives', () => {
  test('a share of nothing is no data, not zero, unless the query says so', async () => {
    await measure('failed_requests', [0]);
    await measure('all_requests', [0]);
    expect(await query('sum(failed_requests) / sum(all_requests)')).toEqual({
      state: 'no-data',
      reason: 'The query gives no number but NaN.',
    });
    const silenceIsGood = 'sum(failed_requests) / (sum(all_requests) > 0) or vector(0)';
    expect(await query(silenceIsGood)).toMatchObject({ state: 'value', value: 0 });
  });

  test('zero that holds only while the scrape works is no data when it fails', async () => {
    const open = 'sum(open_sockets) or 0 * max(up{job="shop"} == 1)';
    await measure('all_requests', [1]);
    expect(await query(open)).toMatchObject({ state: 'value', value: 0 });
    target.fail(true);
    await untilScraped(prometheusUrl, 'up', [0]);
    expect(await query(open)).toMatchObject({ state: 'no-data' });
    target.fail(false);
    await untilScraped(prometheusUrl, 'up', [1]);
  });

  test('a scalar is a number as well', async () => {
    expect(await query('scalar(vector(3)) * 2')).toMatchObject({ state: 'value', value: 6 });
  });

  test.each([
    ['text', '"hello"', 'a string'],
    ['samples over time', 'up[10s]', 'a matrix'],
    ['a mistake', 'sum(', 'The query is refused: invalid parameter "query": 1:5'],
    ['far too many series', manySeries(101), 'The query gives 101 series'],
  ])('%s is refused', async (_what, text, says) => {
    await expect(query(text)).rejects.toMatchObject({
      type: 'METRICS_QUERY_INVALID',
      message: expect.stringContaining(says),
    });
  });

  test('what matches series twice was understood, and may go another time', async () => {
    await measure('twins', [1, 2]);
    await expect(query('twins * on() twins')).rejects.toMatchObject({
      type: 'METRICS_QUERY_FAILED',
      nonRetryable: false,
      message: expect.stringContaining('many-to-many'),
    });
  });

  test('its warnings come with the answer', async () => {
    await measure('no_buckets', [1]);
    const outcome = await query('histogram_quantile(0.9, no_buckets) or vector(1)');
    expect(outcome).toMatchObject({ state: 'value', value: 1 });
    const warnings = outcome.state === 'no-data' ? [] : outcome.warnings;
    expect(warnings.join()).toContain('bucket label');
  });

  test('too much over time is refused', async () => {
    await measure(
      'crowd',
      Array.from({ length: 21 }, (_, index) => index),
    );
    const endMs = Date.now();
    const range = { environment: 'production', startMs: endMs - 1_000, endMs, stepMs: 1_000 };
    await expect(source.queryRange({ ...range, query: 'crowd' })).rejects.toMatchObject({
      type: 'METRICS_QUERY_INVALID',
      message: expect.stringContaining('21 series of 2 steps'),
    });
  });
});

describe('measuring by a real Prometheus', () => {
  const environment = 'production';
  const failureCondition = 'result > 0.1';

  test('follows the share of failures up, down and into silence', async () => {
    const measurements = createMeasurements({ source });
    const request = { environment, query: 'error_ratio', failureCondition };
    const states: string[] = [];
    for (const numbers of [[0.02], [0.4], [Number.NaN], []]) {
      await measure('error_ratio', numbers);
      states.push((await measurements.measure(request)).state);
    }
    expect(states).toEqual(['success', 'failed', 'no-data', 'no-data']);
  });

  test('names what is wrong before anything depends on it', async () => {
    const problems = await createMeasurements({ source }).check({
      environment,
      metrics: [
        { field: 'metrics.0', query: 'nobody_measures_this', failureCondition },
        { field: 'metrics.1', query: 'sum(', successCondition: 'reslt < 1' },
        { field: 'metrics.2', query: 'up' },
      ],
    });
    expect(problems.map(({ field }) => field)).toEqual([
      'metrics.1.successCondition',
      'metrics.1.query',
      'metrics.2',
    ]);
  });
});
