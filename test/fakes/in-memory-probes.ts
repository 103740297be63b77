import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type {
  ProbeCounts,
  Probes,
  SmokeOutcome,
  VersionCounts,
  WatchOutcome,
  WatchRequest,
} from '../../activities/traffic/port.ts';
import { refuseBadWindow } from '../../activities/traffic/watch-limits.ts';
import { isSure } from '../../domain/delivery/gate.ts';

/** What one version does with the requests. */
export interface VersionTraffic {
  /** What it puts into the version header; `''` puts none. */
  version: string;
  /** Its share of the requests, 0–1. */
  share: number;
  /** Share of its own requests that fail, 0–1. */
  failureRatio: number;
}

/** What the requests get; a test sets these before or during a run. */
export interface ProbeKnobs {
  /** Answers of the smoke checks: true passes. */
  smokePasses: boolean;
  /** Whether what is not the service itself answers as asked. */
  urlsPass: boolean;
  /** What the smoke checks are told in the version header; undefined is no header. */
  smokeVersion?: string;
  /** Share of requests that fail in a window; undefined sends none, which is no data. */
  failureRatio: number | undefined;
  /** Who answers in a window, in place of `failureRatio`; asked at the end of each window. */
  versions?: () => readonly VersionTraffic[];
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

const brokenAnswer = '500 internal error';

/** Probes that send nothing and count what the knobs say. */
export const createInMemoryProbes = (): { probes: Probes; knobs: ProbeKnobs } => {
  const knobs: ProbeKnobs = {
    smokePasses: true,
    urlsPass: true,
    failureRatio: 0,
    windowTakesMs: 20,
    windows: 0,
  };
  const probes: Probes = {
    async smoke({ checks, versionHeader }): Promise<SmokeOutcome> {
      if (knobs.notMeasured !== undefined) return { measured: false, reason: knobs.notMeasured };
      const { smokePasses: passed, smokeVersion } = knobs;
      const result = {
        answer: passed ? '200' : '500 internal error',
        ...(versionHeader === undefined || smokeVersion === undefined
          ? {}
          : { version: smokeVersion }),
      };
      const isOther = ({ expectVersion = smokeVersion }): boolean => expectVersion !== smokeVersion;
      return {
        measured: true,
        checks: checks.map((check) => ({ check, passed: passed && !isOther(check), ...result })),
      };
    },
    async reach() {
      const { urlsPass: passed } = knobs;
      return { passed, answer: passed ? '200' : brokenAnswer };
    },
    async watch(request): Promise<WatchOutcome> {
      refuseBadWindow(request);
      if (knobs.notMeasured !== undefined) return { measured: false, reason: knobs.notMeasured };
      knobs.windows += 1;
      await heartbeatWhile(knobs.windowTakesMs);
      const traffic = knobs.versions?.() ?? oneVersion(knobs.failureRatio);
      return { measured: true, counts: countVersions(request, traffic) };
    },
  };
  return { probes, knobs };
};

const latencies = { latencyP50Ms: 1, latencyP99Ms: 2 };
const noLatencies = { latencyP50Ms: null, latencyP99Ms: null };

const plannedOf = ({ windowMs, requestsPerSecond }: WatchRequest): number =>
  Math.ceil((windowMs * requestsPerSecond) / 1_000);

/** `undefined`: nothing answers, and nothing is counted. */
const oneVersion = (ratio: number | undefined): VersionTraffic[] =>
  ratio === undefined ? [] : [{ version: '', share: 1, failureRatio: ratio }];

/** Request by request, as a gateway that deals them out evenly, until a limit ends the window. */
const countVersions = (request: WatchRequest, traffic: readonly VersionTraffic[]): ProbeCounts => {
  const versions = traffic
    .filter(({ share }) => share > 0)
    .map((of) => ({ ...of, samples: 0, failures: 0 }));
  const total = { samples: 0, failures: 0 };
  const { stopAtFailures, stopAtFailuresOf: limit, stopWhenSure } = request;
  const counted = versions.filter(
    ({ version }) => limit === undefined || version === limit.version || version === '',
  );
  const sumOf = (count: 'samples' | 'failures'): number =>
    counted.reduce((sum, { [count]: value }) => sum + value, 0);
  const isEnough = (): boolean =>
    total.failures >= stopAtFailures ||
    (limit !== undefined && sumOf('failures') >= limit.failures) ||
    (stopWhenSure !== undefined &&
      isSure(stopWhenSure, { samples: sumOf('samples'), failures: sumOf('failures') }));
  for (let sent = 1; sent <= plannedOf(request) && !isEnough(); sent += 1) {
    const next = versions.toSorted(
      (left, right) => right.share * sent - right.samples - (left.share * sent - left.samples),
    )[0];
    if (next === undefined) break;
    next.samples += 1;
    const fails = Math.round(next.samples * next.failureRatio) > next.failures;
    if (fails) next.failures += 1;
    total.samples += 1;
    if (fails) total.failures += 1;
  }
  return {
    ...total,
    ...(isEnough() ? { endedEarly: true as const } : {}),
    ...(total.samples === 0 ? noLatencies : latencies),
    lastFailure: total.failures > 0 ? brokenAnswer : null,
    ...(request.versionHeader === undefined ? {} : { versions: versionCounts(versions) }),
  };
};

/** Only those that answered; a prober knows of no others. */
const versionCounts = (
  seen: readonly Omit<VersionCounts, keyof typeof latencies>[],
): VersionCounts[] =>
  seen
    .filter(({ samples }) => samples > 0)
    .map(({ version, samples, failures }) => ({ version, samples, failures, ...latencies }));
