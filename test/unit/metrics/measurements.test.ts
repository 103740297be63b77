import { describe, expect, test } from '@jest/globals';
import { createMeasurements } from '../../../activities/metrics/index.ts';
import type { Conditions, Measurement } from '../../../activities/metrics/port.ts';
import { createInMemoryMetrics } from '../../fakes/in-memory-metrics.ts';

const environments = {
  environments: {
    staging: {
      context: 'c',
      namespace: 'n',
      traffic: 'none' as const,
      metrics: { prometheus: { url: 'http://metrics.invalid' } },
    },
  },
};

const environment = 'staging';

const bench = (...numbers: number[]) => {
  const { metrics, knobs } = createInMemoryMetrics(environments);
  knobs.set('errors', numbers);
  const measurements = createMeasurements({ source: metrics });
  return {
    knobs,
    measurements,
    measure: async (conditions: Conditions, query = 'errors'): Promise<Measurement> =>
      measurements.measure({ environment, query, ...conditions }),
  };
};

const successCondition = 'result < 0.05';
const failureCondition = 'result > 0.1';

describe('a measurement', () => {
  test.each([
    ['success', 0.01],
    ['failed', 0.2],
    ['inconclusive', 0.07],
  ])('with both conditions is %s at %d', async (state, value) => {
    const outcome = await bench(value).measure({ successCondition, failureCondition });
    expect(outcome).toMatchObject({ state, values: [value], atMs: expect.any(Number) });
  });

  test('fails where both conditions hold', async () => {
    const both = { successCondition: 'result < 1', failureCondition: 'result > 0.1' };
    expect(await bench(0.5).measure(both)).toMatchObject({ state: 'failed' });
  });

  test.each([
    [{ successCondition }, 0.01, 'success'],
    [{ successCondition }, 0.07, 'failed'],
    [{ failureCondition }, 0.07, 'success'],
    [{ failureCondition }, 0.2, 'failed'],
  ])('with one condition alone is its opposite otherwise: %j at %d', async (one, value, state) => {
    expect(await bench(value).measure(one)).toMatchObject({ state });
  });

  test.each([[[]], [[Number.NaN]], [[Infinity, Number.NaN]]])(
    'of %j is no data, whatever the conditions say',
    async (numbers) => {
      const { measure } = bench(...numbers);
      expect(await measure({ successCondition: 'results.all(r, r < 1)' })).toMatchObject({
        state: 'no-data',
      });
      expect(await measure({ failureCondition: 'size(results) < 1' })).toMatchObject({
        state: 'no-data',
      });
    },
  );

  test('is no success on half of the numbers, but a failure is proven by one', async () => {
    const good = 'results.all(r, r < 0.1)';
    expect(await bench(0.05, Number.NaN).measure({ successCondition: good })).toEqual({
      state: 'no-data',
      reason: '1 of 2 series have no number.',
    });
    expect(
      await bench(0.5, Number.NaN).measure({ failureCondition: 'results.exists(r, r > 0.1)' }),
    ).toMatchObject({ state: 'failed', values: [0.5] });
  });

  test('of several numbers by one result is an error of the condition', async () => {
    expect(await bench(1, 2).measure({ successCondition })).toEqual({
      state: 'error',
      retryable: false,
      error: {
        code: 'INVALID_INPUT',
        subject: 'successCondition',
        message: expect.stringContaining('the query gives 2'),
      },
    });
  });

  test.each([
    ['does not compile', { failureCondition: 'reslt > 1' }, 'failureCondition'],
    ['cannot be decided', { successCondition: 'results[1] < 1' }, 'successCondition'],
    ['is not there', {}, 'successCondition'],
  ])('by a condition that %s is an error', async (_how, conditions, subject) => {
    expect(await bench(0).measure(conditions)).toMatchObject({
      state: 'error',
      retryable: false,
      error: { code: 'INVALID_INPUT', subject },
    });
  });

  test('of a source that is away is an error that may pass', async () => {
    const { knobs, measure } = bench(0);
    knobs.away.add(environment);
    expect(await measure({ successCondition })).toMatchObject({
      state: 'error',
      retryable: true,
      error: { code: 'METRICS_UNAVAILABLE' },
    });
    knobs.away.clear();
    expect(await measure({ successCondition })).toMatchObject({ state: 'success' });
  });

  test('by a query with a mistake is an error that stays', async () => {
    expect(await bench(0).measure({ successCondition }, 'sum(errors')).toMatchObject({
      state: 'error',
      retryable: false,
      error: { code: 'METRICS_QUERY_INVALID', next: expect.stringContaining('Correct') },
    });
  });
});

describe('checking metrics before anything depends on them', () => {
  const check = async (query: string, conditions: Conditions) =>
    bench(0).measurements.check({ environment, metrics: [{ field: 'm.0', query, ...conditions }] });

  test('finds nothing in what can be measured, with or without data', async () => {
    expect(await check('errors', { successCondition, failureCondition })).toEqual([]);
    expect(await check('nothing_yet', { successCondition })).toEqual([]);
  });

  test('names the field and the reason of each mistake', async () => {
    const wrong = { successCondition: 'result', failureCondition: 'result > "a"' };
    expect(await check('sum(errors', wrong)).toEqual([
      { field: 'm.0.successCondition', reason: expect.stringContaining('true or false') },
      { field: 'm.0.failureCondition', reason: expect.stringContaining('no such overload') },
      { field: 'm.0.query', reason: expect.stringContaining('refuse') },
    ]);
  });

  test('wants at least one condition', async () => {
    expect(await check('errors', {})).toEqual([
      { field: 'm.0', reason: 'needs a successCondition or a failureCondition' },
    ]);
  });

  test('does not pass where the source could not be asked', async () => {
    const { knobs, measurements } = bench(0);
    knobs.away.add(environment);
    const metrics = [{ field: 'm.0', query: 'errors', successCondition }];
    await expect(measurements.check({ environment, metrics })).rejects.toMatchObject({
      type: 'METRICS_UNAVAILABLE',
    });
    await expect(measurements.check({ environment: 'moon', metrics })).rejects.toMatchObject({
      type: 'ENVIRONMENT_UNKNOWN',
    });
  });
});
