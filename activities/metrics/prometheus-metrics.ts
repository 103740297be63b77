import { codedFailure } from '../coded-failure.ts';
import type { MetricsSource, RangeQuery } from './port.ts';
import { accessOf, type AccessDeps } from './prometheus-access.ts';
import { queryOutcome, rangeOutcome, stepsOf } from './prometheus-answer.ts';
import { callPrometheus } from './prometheus-exchange.ts';

export interface PrometheusMetricsDeps extends AccessDeps {
  /** Longest wait for one answer; 10 s if absent. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 10_000;
const maxSteps = 1_000;

/** Reads the Prometheus of each environment, or what answers like it (Thanos, Mimir, Cortex). */
export const createPrometheusMetrics = (deps: PrometheusMetricsDeps): MetricsSource => {
  const timeoutMs = deps.timeoutMs ?? defaultTimeoutMs;
  return {
    async query({ environment, query, atMs, freshnessMs }) {
      const answer = await callPrometheus(await accessOf(environment, deps), {
        path: '/api/v1/query',
        parameters: {
          query,
          ...(atMs === undefined ? {} : { time: seconds(atMs) }),
          ...freshness(freshnessMs),
          timeout: duration(timeoutMs),
        },
        timeoutMs,
      });
      return queryOutcome(answer, query);
    },

    async queryRange(request) {
      refuseBadRange(request);
      const { environment, query, startMs, endMs, stepMs, freshnessMs } = request;
      const answer = await callPrometheus(await accessOf(environment, deps), {
        path: '/api/v1/query_range',
        parameters: {
          query,
          start: seconds(startMs),
          end: seconds(endMs),
          step: duration(stepMs),
          ...freshness(freshnessMs),
          timeout: duration(timeoutMs),
        },
        timeoutMs,
      });
      return rangeOutcome(answer, request);
    },
  };
};

const seconds = (ms: number): string => (ms / 1_000).toFixed(3);

const duration = (ms: number): string => `${String(Math.round(ms))}ms`;

const freshness = (freshnessMs: number | undefined): Record<string, string> =>
  freshnessMs === undefined ? {} : { lookback_delta: duration(freshnessMs) };

const refuseBadRange = (request: RangeQuery): void => {
  const steps = stepsOf(request);
  if (Number.isInteger(request.stepMs) && steps >= 1 && steps <= maxSteps) return;
  throw codedFailure({
    code: 'INVALID_INPUT',
    message: `A range must have 1 to ${String(maxSteps)} steps of whole milliseconds, this one has ${String(steps)} of ${String(request.stepMs)} ms; nothing was read.`,
    subject: 'stepMs',
  });
};
