import { describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMeasurements } from '../../../activities/metrics/index.ts';
import type { CountReading, CountWatch } from '../../../activities/metrics/port.ts';
import { createInMemoryMetrics } from '../../fakes/in-memory-metrics.ts';

const environment = 'staging';
const metrics = { prometheus: { url: 'http://metrics.invalid' } };
const mapping = { context: 'c', namespace: 'n', traffic: 'none' as const, metrics };

const exposed = { name: 'exposed', query: 'sum(served)', max: 100 };

const bench = () => {
  const source = createInMemoryMetrics({ environments: { [environment]: mapping } });
  const measurements = createMeasurements({ source: source.metrics });
  const activity = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const watch = (more: Partial<CountWatch> = {}): Promise<CountReading[]> =>
    activity.run(async () =>
      measurements.watchCounts({
        environment,
        counts: [exposed],
        countedForMs: 0,
        windowMs: 0,
        everyMs: 10,
        ...more,
      }),
    );
  return { knobs: source.knobs, watch };
};

describe('watching counts', () => {
  test('adds up the series of a count', async () => {
    const { knobs, watch } = bench();
    knobs.set(exposed.query, [40, 2]);
    expect(await watch()).toEqual([{ name: 'exposed', value: 42, silentMs: expect.any(Number) }]);
  });

  test('ends as soon as a count is above its limit', async () => {
    const { knobs, watch } = bench();
    knobs.set(exposed.query, [101]);
    expect(await watch({ windowMs: 60_000, everyMs: 60_000 })).toMatchObject([{ value: 101 }]);
  });

  test.each([
    ['no series', []],
    ['a series without a number', [7, Number.NaN]],
  ])('%s is no value, and says why', async (_case, numbers) => {
    const { knobs, watch } = bench();
    knobs.set(exposed.query, numbers);
    const [reading] = await watch();
    expect(reading).toMatchObject({ value: null, reason: expect.any(String) });
  });

  test('a source that does not answer leaves its counts silent', async () => {
    const { knobs, watch } = bench();
    knobs.away.add(environment);
    const [reading] = await watch({ windowMs: 50 });
    expect(reading).toMatchObject({ value: null, reason: expect.stringContaining('away') });
    expect(reading?.silentMs).toBeGreaterThanOrEqual(50);
  });

  test('$window is the time since the counting began', async () => {
    const { knobs, watch } = bench();
    knobs.set('sum(increase(served[91s]))', [5]);
    const counts = [{ ...exposed, query: 'sum(increase(served[$window]))' }];
    expect(await watch({ counts, countedForMs: 90_500 })).toMatchObject([{ value: 5 }]);
  });
});
