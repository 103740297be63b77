import type { CodedError } from '../../contracts/errors.ts';
import type {
  AlertProblem,
  RecordedAlerts,
  ReleaseAlerts,
} from '../../domain/delivery/alert-rules.ts';

export interface MetricsQuery {
  environment: string;
  /** PromQL, as the source of the environment understands it. */
  query: string;
  /** Time to ask about; now if absent. */
  atMs?: number;
  /** A sample that is older is no data. The source's own limit if absent: 5 minutes in Prometheus. */
  freshnessMs?: number;
}

/**
 * What a query gives at one time. A number is always finite; that there is none is a state of
 * its own: no series, or only ones that are NaN or infinite, as a ratio of nothing to nothing is.
 */
export type QueryOutcome =
  | { state: 'value'; value: number; atMs: number; warnings: string[] }
  | {
      state: 'series';
      /** One for each series that has a number, in the order of the source; at most 100. */
      values: number[];
      /** Series beside them that have none. */
      withoutNumber: number;
      atMs: number;
      /** What the source says about its own answer, e.g. that a part of it is missing. */
      warnings: string[];
    }
  | { state: 'no-data'; reason: string };

export interface RangeQuery {
  environment: string;
  query: string;
  startMs: number;
  /** At most 1,000 steps after the start. */
  endMs: number;
  stepMs: number;
  freshnessMs?: number;
}

/** One number for each step from `startMs` on; null where there was none. */
export interface RangeSeries {
  labels: Record<string, string>;
  values: (number | null)[];
}

/** What a query gave at each step; at least one of the numbers is there. */
export type RangeOutcome =
  | {
      state: 'series';
      startMs: number;
      stepMs: number;
      /** At most 20 series, and 2,000 values together. */
      series: RangeSeries[];
      warnings: string[];
    }
  | { state: 'no-data'; reason: string };

/**
 * Reads metrics. Activity types are `metrics.<verb>`.
 *
 * @throws ENVIRONMENT_UNKNOWN, CONFIGURATION_INVALID (no source for the environment),
 * INVALID_INPUT, METRICS_UNAVAILABLE, METRICS_ACCESS_DENIED, METRICS_QUERY_INVALID,
 * METRICS_QUERY_FAILED, RATE_LIMITED
 */
export interface MetricsSource {
  query(request: MetricsQuery): Promise<QueryOutcome>;
  queryRange(request: RangeQuery): Promise<RangeOutcome>;
}

/**
 * When a measurement is good or bad, in CEL over `result` (the number of a query that gives one)
 * and `results` (all of them). At least one of the two is given. With one alone what it does not
 * say is the opposite; with both, what neither says is inconclusive.
 */
export interface Conditions {
  successCondition?: string;
  failureCondition?: string;
}

export type MeasureRequest = MetricsQuery & Conditions;

/**
 * One measurement. Failed goes before success where both conditions hold. No data and an error
 * are neither good nor bad, and never a pass.
 */
export type Measurement =
  | {
      state: 'success' | 'failed' | 'inconclusive';
      values: number[];
      /** The source's clock. */
      atMs: number;
      warnings: string[];
    }
  | { state: 'no-data'; reason: string }
  | {
      state: 'error';
      error: CodedError;
      /** May the next measurement succeed without anyone changing anything? */
      retryable: boolean;
    };

/** Counts that are read again and again, each against its limit. */
export interface CountWatch {
  environment: string;
  /** `$window` in a query becomes the time since the counting began, in whole seconds. */
  counts: { name: string; query: string; max: number }[];
  /** Time since the counting began when this watch was asked for. */
  countedForMs: number;
  /** How long to watch, at most 60 000; 0 reads once. */
  windowMs: number;
  /** Time from one reading to the next. */
  everyMs: number;
}

/** What was read last. No data and an unreadable source are the same here: there is no number. */
export interface CountReading {
  name: string;
  value: number | null;
  /** Time since the value was read; that of the watch where there is none. */
  silentMs: number;
  /** Why there is no newer value; absent where the last reading gave one. */
  reason?: string;
}

/** Decides by metrics. Activity types are `measurements.<verb>`. */
export interface Measurements {
  /** Asks once and decides. Whatever goes wrong with the source or a condition is its answer. */
  measure(request: MeasureRequest): Promise<Measurement>;
  /**
   * What is wrong with metrics, by field (`<field>.query`), before anything depends on them: a
   * condition that does not compile or decides nothing, a query that the source refuses. Empty
   * where all of them can be measured; whether there is data is not asked.
   * @throws what a `MetricsSource` throws, except METRICS_QUERY_INVALID and METRICS_QUERY_FAILED
   */
  check(request: {
    environment: string;
    metrics: ({ field: string; query: string } & Conditions)[];
  }): Promise<{ field: string; reason: string }[]>;
  /**
   * Reads counts until the window is over, or until one is above its limit. Heartbeats. A source
   * that cannot be read ends nothing: its counts stay silent.
   */
  watchCounts(request: CountWatch): Promise<CountReading[]>;
}

/** The alerts of one release on their way in or out. */
export interface AlertsStep extends RecordedAlerts {
  /** A write with a lower epoch than one before it is refused. */
  epoch: number;
}

/** `probed` has an alert beside the others that always fires. */
export type AlertsState = 'probed' | 'wanted' | 'before';

/**
 * The rule file of a service in the rules directory of its environment, and whether Prometheus has
 * read it. Activity types are `alertRules.<verb>`.
 *
 * @throws what a `MetricsSource` throws except for its queries; CONFIGURATION_INVALID also without
 * a rules directory that can be written, or where Prometheus cannot be told to reload
 */
export interface AlertRules {
  /**
   * What is wrong with the alerts, by field, before anything depends on them. Without `adopt` a
   * rule file that someone else changed is wrong too.
   */
  check(request: ReleaseAlerts & { adopt: boolean }): Promise<AlertProblem[]>;
  /**
   * The rule file as it is, to go back to.
   * @throws FOREIGN_CHANGE where someone else changed it, unless `adopt`
   */
  capture(request: {
    environment: string;
    service: string;
    adopt: boolean;
  }): Promise<{ text: string | null }>;
  /**
   * Replaces the rule file at once and has Prometheus reload; nothing happens where it is there.
   * @throws FENCED, FOREIGN_CHANGE (it is neither as before nor as the release wrote it),
   * ALERTS_REFUSED
   */
  write(request: AlertsStep & { state: 'probed' | 'wanted' }): Promise<void>;
  /**
   * Waits until Prometheus shows what the state says: the group with the digest of its rules, each
   * evaluated without an error, and for `probed` the alert that always fires in the state firing.
   * @throws ALERTS_UNPROVEN
   */
  awaitLoaded(
    request: AlertsStep & { state: AlertsState; deadlineMs: number },
  ): Promise<{ group: string | null }>;
  /**
   * Puts the rule file back as it was, byte by byte, and has Prometheus reload. One that someone
   * else changed since is left as it is.
   * @throws FENCED, ALERTS_REFUSED
   */
  putBack(request: AlertsStep): Promise<{
    outcome: 'reverted' | 'nothing-to-undo' | 'foreign-change-preserved';
    file: string;
  }>;
}
