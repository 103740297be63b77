import { isSure } from '../../domain/delivery/gate.ts';
import { nearestRank } from '../../domain/statistics/nearest-rank.ts';
import type { Answer } from './http-exchange.ts';
import type { ProbeCounts, VersionCounts, WatchRequest } from './port.ts';
import { createVersionTally, type VersionProgress, type VersionTally } from './version-tally.ts';

/** What a heartbeat says, so that a retry goes on counting where a dead worker stopped. */
export interface WatchProgress {
  elapsedMs: number;
  samples: number;
  failures: number;
  lastFailure: string | null;
  /** Only where versions are told apart. */
  versions?: VersionProgress[];
}

export interface ProbeCounter {
  add(answer: CountedAnswer): void;
  /** Have so many requests failed that the window need not go on? */
  isEnough(): boolean;
  progress(elapsedMs: number): WatchProgress;
  counts(): ProbeCounts;
}

export type CountedAnswer = Pick<Answer, 'status' | 'text' | 'version' | 'latencyMs'>;

/** Of a window, what its counting depends on. */
export type CounterSettings = Pick<
  WatchRequest,
  'stopAtFailures' | 'stopAtFailuresOf' | 'stopWhenSure' | 'versionHeader'
>;

/** The version of an answer that names none: a proxy gave it, or nobody did. */
const nameless = '';

/** A user sees every answer of 400 and above as broken, and a gateway without a route says 404. */
const isFailure = ({ status }: CountedAnswer): boolean => status === null || status >= 400;

/**
 * Counts answers. Latencies of an earlier attempt are gone with its worker, so
 * that the percentiles are those of the current attempt; the counts are of all.
 */
export const createProbeCounter = (
  { stopAtFailures, stopAtFailuresOf, stopWhenSure, versionHeader }: CounterSettings,
  earlier: WatchProgress,
): ProbeCounter => {
  let { samples, failures, lastFailure } = earlier;
  const latenciesMs: number[] = [];
  const tally =
    versionHeader === undefined
      ? undefined
      : createVersionTally({ earlier: earlier.versions ?? [], watched: stopAtFailuresOf?.version });
  /** Of the watched version; what says nothing of its version counts for it, as in the verdict. */
  const ofWatched = (): { samples: number; failures: number } => {
    if (tally === undefined || stopAtFailuresOf === undefined) return { samples, failures };
    const [named, unnamed] = [tally.of(stopAtFailuresOf.version), tally.of(nameless)];
    return {
      samples: named.samples + unnamed.samples,
      failures: named.failures + unnamed.failures,
    };
  };
  const isEnough = (): boolean => {
    const watched = ofWatched();
    return (
      failures >= stopAtFailures ||
      (tally !== undefined && watched.failures >= (stopAtFailuresOf?.failures ?? Infinity)) ||
      (stopWhenSure !== undefined && isSure(stopWhenSure, watched))
    );
  };
  return {
    isEnough,
    add(answer) {
      const { version, latencyMs } = answer;
      const failed = isFailure(answer);
      samples += 1;
      latenciesMs.push(latencyMs);
      tally?.add({ version, failed, latencyMs });
      if (!failed) return;
      failures += 1;
      lastFailure = answer.text;
    },
    progress: (elapsedMs) => ({
      ...{ elapsedMs, samples, failures, lastFailure },
      ...(tally === undefined ? {} : { versions: tally.progress() }),
    }),
    counts: () => ({
      ...{ samples, failures, ...percentiles(latenciesMs), lastFailure },
      ...(isEnough() ? { endedEarly: true as const } : {}),
      ...(tally === undefined ? {} : { versions: tally.counts().map(versionCounts) }),
    }),
  };
};

const versionCounts = ({
  latenciesMs,
  ...counts
}: ReturnType<VersionTally['counts']>[number]): VersionCounts => ({
  ...counts,
  ...percentiles(latenciesMs),
});

const percentiles = (
  latenciesMs: readonly number[],
): Pick<ProbeCounts, 'latencyP50Ms' | 'latencyP99Ms'> => {
  const sorted = latenciesMs.toSorted((left, right) => left - right);
  return {
    latencyP50Ms: inTenths(nearestRank(sorted, 50)),
    latencyP99Ms: inTenths(nearestRank(sorted, 99)),
  };
};

const inTenths = (valueMs: number | undefined): number | null =>
  valueMs === undefined ? null : Math.round(valueMs * 10) / 10;

/** Details of the last heartbeat, or a beginning where they are not ours. */
export const readProgress = (details: unknown): WatchProgress =>
  isProgress(details) ? details : { elapsedMs: 0, samples: 0, failures: 0, lastFailure: null };

const isProgress = (details: unknown): details is WatchProgress =>
  isRecord(details) &&
  typeof details['elapsedMs'] === 'number' &&
  isCounted(details) &&
  (details['versions'] === undefined ||
    (Array.isArray(details['versions']) && details['versions'].every(isVersionProgress)));

const isVersionProgress = (value: unknown): value is VersionProgress =>
  isRecord(value) && typeof value['version'] === 'string' && isCounted(value);

const isCounted = (value: Record<string, unknown>): boolean =>
  typeof value['samples'] === 'number' && typeof value['failures'] === 'number';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
