import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Probes, SmokeOutcome, WatchOutcome } from '../../activities/traffic/port.ts';

/** What the requests get; a test sets these before or during a run. */
export interface ProbeKnobs {
  /** Answers of the smoke checks: true passes. */
  smokePasses: boolean;
  /** Share of requests that fail in a window; undefined sends none, which is no data. */
  failureRatio: number | undefined;
  /** Why nothing is measured, as an environment that carries no traffic says. */
  notMeasured?: string;
  /** How long a window really takes, whatever it was asked to take. */
  windowTakesMs: number;
  /** Number of windows watched so far. */
  windows: number;
}

const heartbeatWhile = async (forMs: number): Promise<void> => {
  const context = Context.current();
  const endsAtMs = Date.now() + forMs;
  do {
    context.heartbeat();
    await delay(Math.min(100, forMs), undefined, { signal: context.cancellationSignal });
  } while (Date.now() < endsAtMs);
};

/** Probes that send nothing and count what the knobs say. */
export const createInMemoryProbes = (): { probes: Probes; knobs: ProbeKnobs } => {
  const knobs: ProbeKnobs = {
    smokePasses: true,
    failureRatio: 0,
    windowTakesMs: 20,
    windows: 0,
  };
  const probes: Probes = {
    async smoke({ checks }): Promise<SmokeOutcome> {
      if (knobs.notMeasured !== undefined) return { measured: false, reason: knobs.notMeasured };
      const answer = knobs.smokePasses ? '200' : '500 internal error';
      return {
        measured: true,
        checks: checks.map((check) => ({ check, passed: knobs.smokePasses, answer })),
      };
    },
    async watch({ windowMs, requestsPerSecond, stopAtFailures }): Promise<WatchOutcome> {
      if (knobs.notMeasured !== undefined) return { measured: false, reason: knobs.notMeasured };
      knobs.windows += 1;
      await heartbeatWhile(knobs.windowTakesMs);
      const ratio = knobs.failureRatio;
      const planned = ratio === undefined ? 0 : Math.ceil((windowMs * requestsPerSecond) / 1_000);
      const failing = Math.round(planned * (ratio ?? 0));
      const failures = Math.min(failing, stopAtFailures);
      const samples = failures < failing ? Math.ceil(failures / (ratio ?? 1)) : planned;
      const lastFailure = failures > 0 ? '500 internal error' : null;
      const counts = { samples, failures, latencyP50Ms: 1, latencyP99Ms: 2, lastFailure };
      return { measured: true, counts };
    },
  };
  return { probes, knobs };
};
