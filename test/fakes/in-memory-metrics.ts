import type { MetricsSource, QueryOutcome, RangeOutcome } from '../../activities/metrics/port.ts';
import type { EnvironmentsFile } from '../../contracts/shared/environments-file.ts';
import { failure } from './in-memory-failure.ts';

/** What is measured; a test sets it before or during a run. */
export interface MetricsKnobs {
  /**
   * What a query gives from now on: a number for each series, NaN and infinite ones too; no
   * numbers take it away. What it gave before stays known for its time.
   */
  set(query: string, numbers: readonly number[]): void;
  /** Environments whose source does not answer. */
  away: Set<string>;
}

interface Change {
  sinceMs: number;
  numbers: readonly number[];
}

const usualFreshnessMs = 300_000;

/** Metrics that nobody measures; passes the same conformance suite as a Prometheus. */
export const createInMemoryMetrics = (
  environments: EnvironmentsFile,
): { metrics: MetricsSource; knobs: MetricsKnobs } => {
  const changes = new Map<string, Change[]>();
  const away = new Set<string>();

  const numbersAt = (query: string, atMs: number, freshnessMs?: number): readonly number[] => {
    // What is there now is measured until now, and known for a while after.
    if (atMs - Date.now() > (freshnessMs ?? usualFreshnessMs)) return [];
    const before = (changes.get(query) ?? []).filter(({ sinceMs }) => sinceMs <= atMs);
    return before.at(-1)?.numbers ?? [];
  };

  const refuse = (environment: string, query: string): void => {
    refuseEnvironment(environments, environment);
    if (away.has(environment)) {
      throw failure('METRICS_UNAVAILABLE', 'the in-memory metrics are away as asked', environment);
    }
    if (!isBalanced(query)) {
      throw failure('METRICS_QUERY_INVALID', 'the in-memory metrics refuse the query', query);
    }
  };

  const metrics: MetricsSource = {
    async query({ environment, query, atMs = Date.now(), freshnessMs }) {
      refuse(environment, query);
      return Promise.resolve(outcomeOf(numbersAt(query, atMs, freshnessMs), atMs));
    },
    async queryRange({ environment, query, startMs, endMs, stepMs, freshnessMs }) {
      const steps = Math.floor((endMs - startMs) / stepMs) + 1;
      if (!(steps >= 1 && steps <= 1_000)) {
        throw failure('INVALID_INPUT', `a range of ${String(steps)} steps`, 'stepMs');
      }
      refuse(environment, query);
      const grid = Array.from({ length: steps }, (_, step) =>
        numbersAt(query, startMs + step * stepMs, freshnessMs),
      );
      return Promise.resolve(rangeOf(grid, { startMs, stepMs }));
    },
  };
  const set = (query: string, numbers: readonly number[]): void => {
    changes.set(query, [...(changes.get(query) ?? []), { sinceMs: Date.now(), numbers }]);
  };
  return { metrics, knobs: { set, away } };
};

const refuseEnvironment = ({ environments }: EnvironmentsFile, environment: string): void => {
  const mapping = environments[environment];
  if (mapping === undefined) {
    throw failure('ENVIRONMENT_UNKNOWN', `no environment ${environment}`, environment);
  }
  if (mapping.metrics === undefined) {
    const subject = `environments.${environment}.metrics`;
    throw failure('CONFIGURATION_INVALID', `no metrics for ${environment}`, subject);
  }
};

/** The one mistake of syntax that it knows. */
const isBalanced = (query: string): boolean =>
  (query.match(/[({[]/g) ?? []).length === (query.match(/[)}\]]/g) ?? []).length;

const outcomeOf = (numbers: readonly number[], atMs: number): QueryOutcome => {
  const values = numbers.filter(Number.isFinite);
  const [value] = values;
  if (value === undefined) return { state: 'no-data', reason: 'The query gives no number.' };
  const withoutNumber = numbers.length - values.length;
  return numbers.length === 1
    ? { state: 'value', value, atMs, warnings: [] }
    : { state: 'series', values, withoutNumber, atMs, warnings: [] };
};

const rangeOf = (
  grid: readonly (readonly number[])[],
  at: { startMs: number; stepMs: number },
): RangeOutcome => {
  const count = Math.max(...grid.map((numbers) => numbers.length));
  const series = Array.from({ length: count }, (_, index) => ({
    labels: { series: String(index) },
    values: grid.map((numbers) => finiteOrNull(numbers[index])),
  }));
  const hasNumber = series.some(({ values }) => values.some((value) => value !== null));
  return hasNumber
    ? { state: 'series', ...at, series, warnings: [] }
    : { state: 'no-data', reason: 'The query gives no number in this time.' };
};

const finiteOrNull = (value: number | undefined): number | null =>
  value !== undefined && Number.isFinite(value) ? value : null;
