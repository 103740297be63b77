import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import {
  openConnections,
  type Answer,
  type ConnectionSettings,
  type Connections,
} from './http-exchange.ts';
import { sendPaced } from './paced-sending.ts';
import type { Probes, SmokeCheck, SmokeResult, WatchOutcome, WatchRequest } from './port.ts';
import { locateTarget, type AddressDeps, type ProbeAddress } from './probe-address.ts';
import { createProbeCounter, readProgress } from './probe-counter.ts';
import { refuseBadWindow } from './watch-limits.ts';

const requestTimeoutMs = 5_000;
const smokeRetryMs = 250;
const heartbeatEveryMs = 1_000;
const maxInFlight = 256;
const usualNewConnectionPercent = 50;

export type ProbesDeps = AddressDeps;

/** Probes by real HTTP requests from the worker's own machine. */
export const createProbes = (deps: ProbesDeps): Probes => ({
  async smoke(request) {
    const target = await locateTarget(request, deps);
    if (!target.reachable) return { measured: false, reason: target.reason };
    const settings = connectionSettings(request);
    return withConnections(settings, async (connections, signal) => {
      const deadlineAtMs = performance.now() + request.deadlineMs;
      const { address } = target;
      let passedCount = 0;
      const stopHeartbeat = startHeartbeat(() => ({ passed: passedCount }));
      const runOne = async (check: SmokeCheck): Promise<SmokeResult> => {
        const result = await smokeUntilPassed(check, {
          connections,
          address,
          signal,
          deadlineAtMs,
        });
        if (result.passed) passedCount += 1;
        return result;
      };
      try {
        return { measured: true, checks: await Promise.all(request.checks.map(runOne)) };
      } finally {
        stopHeartbeat();
      }
    });
  },

  reach: (request) => reachUntilPassed(request),

  async watch(request) {
    refuseBadWindow(request);
    const target = await locateTarget(request, deps);
    if (!target.reachable) return { measured: false, reason: target.reason };
    return withConnections(connectionSettings(request), (connections, signal) =>
      watchWindow({ ...request, address: target.address, connections, signal }),
    );
  },
});

const connectionSettings = (
  request: Pick<WatchRequest, 'versionHeader' | 'newConnectionPercent'>,
): ConnectionSettings => ({
  newConnectionPercent: request.newConnectionPercent ?? usualNewConnectionPercent,
  versionHeader: request.versionHeader,
});

interface SmokeRun {
  connections: Connections;
  address: ProbeAddress;
  signal: AbortSignal;
  deadlineAtMs: number;
}

const smokeUntilPassed = async (check: SmokeCheck, run: SmokeRun): Promise<SmokeResult> => {
  let shown: Answer | undefined;
  for (;;) {
    const remainingMs = run.deadlineAtMs - performance.now();
    if (remainingMs <= 0 || run.signal.aborted) return smokeResult(check, shown);
    const timeoutMs = Math.ceil(Math.min(remainingMs, requestTimeoutMs));
    const latest = await run.connections.get(run.address, check.path, timeoutMs);
    // A request that the deadline cut short says less than the answer before it.
    const cutShort = latest.status === null && timeoutMs < requestTimeoutMs;
    if (shown === undefined || !cutShort) shown = latest;
    if (passes(check, latest)) return smokeResult(check, latest);
    const pauseMs = Math.max(0, Math.min(smokeRetryMs, run.deadlineAtMs - performance.now()));
    await delay(pauseMs, undefined, { signal: run.signal }).catch(() => undefined);
  }
};

/** An address of its own needs no entry of the environment. */
const reachUntilPassed = ({
  check: { url, ...expected },
  deadlineMs,
}: Parameters<Probes['reach']>[0]): ReturnType<Probes['reach']> => {
  const { origin, pathname, search } = new URL(url);
  const check = { ...expected, path: `${pathname}${search}` };
  return withConnections(connectionSettings({}), async (connections, signal) => {
    const deadlineAtMs = performance.now() + deadlineMs;
    const address = { origin, basePath: '' };
    const stopHeartbeat = startHeartbeat(() => ({ url }));
    try {
      const run = { connections, address, signal, deadlineAtMs };
      const { passed, answer } = await smokeUntilPassed(check, run);
      return { passed, answer };
    } finally {
      stopHeartbeat();
    }
  });
};

const smokeResult = (check: SmokeCheck, answer: Answer | undefined): SmokeResult =>
  answer === undefined
    ? { check, passed: false, answer: 'no request was sent before the deadline' }
    : {
        check,
        passed: passes(check, answer),
        answer: explain(check, answer),
        ...(answer.version === '' ? {} : { version: answer.version }),
      };

const hasBody = (check: SmokeCheck, answer: Answer): boolean =>
  check.expectBody === undefined || answer.body.includes(check.expectBody);

const isOfVersion = ({ expectVersion }: SmokeCheck, { version }: Answer): boolean =>
  expectVersion === undefined || version === expectVersion;

const passes = (check: SmokeCheck, answer: Answer): boolean =>
  answer.status === check.expectStatus && hasBody(check, answer) && isOfVersion(check, answer);

const explain = (check: SmokeCheck, answer: Answer): string => {
  if (answer.status !== check.expectStatus) return answer.text;
  if (!hasBody(check, answer)) return `${answer.text} (the body lacks the expected text)`;
  if (isOfVersion(check, answer)) return answer.text;
  return `${answer.text} (from version ${answer.version || 'without a name'}, not ${check.expectVersion ?? ''})`;
};

interface Window extends WatchRequest {
  address: ProbeAddress;
  connections: Connections;
  /** Aborted when the run no longer wants the counts. */
  signal: AbortSignal;
}

const watchWindow = async (window: Window): Promise<WatchOutcome> => {
  const earlier = readProgress(Context.current().info.heartbeatDetails);
  const counter = createProbeCounter(window, earlier);
  const enough = new AbortController();
  const signal = AbortSignal.any([window.signal, enough.signal]);
  const startedAtMs = performance.now();
  const progress = (): ReturnType<typeof counter.progress> =>
    counter.progress(earlier.elapsedMs + performance.now() - startedAtMs);
  const stopIfEnough = (): void => {
    if (counter.isEnough()) enough.abort();
  };
  const stopHeartbeat = startHeartbeat(progress);
  try {
    stopIfEnough();
    await sendPaced({
      windowMs: Math.max(0, window.windowMs - earlier.elapsedMs),
      requestsPerSecond: window.requestsPerSecond,
      maxInFlight,
      signal,
      send: async () => {
        const answer = await window.connections.get(window.address, window.path, requestTimeoutMs);
        // Whatever the abort itself broke off says nothing about the service.
        if (signal.aborted) return;
        counter.add(answer);
        stopIfEnough();
      },
    });
  } finally {
    stopHeartbeat();
  }
  return { measured: true, counts: counter.counts() };
};

/** Runs with open connections and closes them at once when the activity is cancelled. */
const withConnections = async <T>(
  settings: ConnectionSettings,
  run: (connections: Connections, signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const signal = Context.current().cancellationSignal;
  const connections = openConnections(settings);
  const closeNow = (): void => void connections.close();
  signal.addEventListener('abort', closeNow, { once: true });
  try {
    const result = await run(connections, signal);
    signal.throwIfAborted();
    return result;
  } finally {
    signal.removeEventListener('abort', closeNow);
    await connections.close();
  }
};

const startHeartbeat = (details: () => unknown): (() => void) => {
  const context = Context.current();
  context.heartbeat(details());
  const timer = setInterval(() => context.heartbeat(details()), heartbeatEveryMs);
  return () => clearInterval(timer);
};
