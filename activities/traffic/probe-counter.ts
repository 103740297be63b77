import type { Answer } from './http-exchange.ts';
import type { ProbeCounts } from './port.ts';

/** What a heartbeat says, so that a retry goes on counting where a dead worker stopped. */
export interface WatchProgress {
  elapsedMs: number;
  samples: number;
  failures: number;
  lastFailure: string | null;
}

export interface ProbeCounter {
  add(answer: Answer): void;
  progress(elapsedMs: number): WatchProgress;
  counts(): ProbeCounts;
}

/** A user sees every answer of 400 and above as broken, and a gateway without a route says 404. */
const failed = (answer: Answer): boolean => answer.status === null || answer.status >= 400;

/**
 * Counts answers. Latencies of an earlier attempt are gone with its worker, so
 * that the percentiles are those of the current attempt; the counts are of all.
 */
export const createProbeCounter = (earlier: WatchProgress): ProbeCounter => {
  let { samples, failures, lastFailure } = earlier;
  const latenciesMs: number[] = [];
  return {
    add(answer) {
      samples += 1;
      latenciesMs.push(answer.latencyMs);
      if (!failed(answer)) return;
      failures += 1;
      lastFailure = answer.text;
    },
    progress: (elapsedMs) => ({ elapsedMs, samples, failures, lastFailure }),
    counts() {
      const sorted = latenciesMs.toSorted((left, right) => left - right);
      return {
        samples,
        failures,
        latencyP50Ms: nearestRank(sorted, 50),
        latencyP99Ms: nearestRank(sorted, 99),
        lastFailure,
      };
    },
  };
};

const nearestRank = (sorted: readonly number[], percent: number): number | null => {
  const value = sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
};

/** Details of the last heartbeat, or a beginning where they are not ours. */
export const readProgress = (details: unknown): WatchProgress =>
  isProgress(details) ? details : { elapsedMs: 0, samples: 0, failures: 0, lastFailure: null };

const isProgress = (details: unknown): details is WatchProgress =>
  typeof details === 'object' &&
  details !== null &&
  'elapsedMs' in details &&
  typeof details.elapsedMs === 'number' &&
  'samples' in details &&
  typeof details.samples === 'number' &&
  'failures' in details &&
  typeof details.failures === 'number';
