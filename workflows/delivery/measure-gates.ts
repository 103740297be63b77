import { sleep } from '@temporalio/workflow';
import type { ProbeCounts, ProbeTarget, WatchRequest } from '../../activities/traffic/port.ts';
import type { DeployServiceInput } from '../../contracts/delivery/deploy-service.ts';
import {
  addWindow,
  emptyTally,
  judgeBake,
  judgeSmoke,
  nextWindow,
  notMeasured,
  opens,
  restBetweenPausedWindowsMs,
  watchedMs,
} from '../../domain/delivery/gate.ts';
import type { BakeRule, BakeTally, GateResult, WindowRequest } from '../../domain/delivery/gate.ts';
import { noteStage } from '../../domain/delivery/release-stage.ts';
import { samplesOf } from '../../domain/delivery/traffic-share.ts';
import { watchedWithMetrics } from './analysis.ts';
import { countExposure, windowInBudget } from './exposure-budget.ts';
import { gate, keepGate } from './gates.ts';
import { queryNamesOf } from './query-names.ts';
import type { ReleaseRun } from './release-run.ts';
import { end } from './run-step.ts';

/** A few requests that must be answered as asked. */
interface SmokeRequests {
  name: string;
  target: ProbeTarget;
  checks: readonly SmokeCheck[];
  /** The version that must answer, where it can be told. */
  version?: string | undefined;
}

type SmokeCheck = Extract<DeployServiceInput['smoke'][number], { path: string }>;

export const measureSmoke = async (
  run: ReleaseRun,
  { name, target, checks, version }: SmokeRequests,
): Promise<GateResult> => {
  const { smokeDeadlineMs: deadlineMs } = run.waits;
  const asked = checks.map(({ path, expectStatus, expectBody }) => ({
    path,
    expectStatus,
    ...(expectBody === undefined ? {} : { expectBody }),
    ...(version === undefined ? {} : { expectVersion: version }),
  }));
  for (;;) {
    const pauses = run.control.isPaused();
    const outcome = await run.ports.probes.smoke(
      { ...target, checks: asked, deadlineMs },
      {
        summary: `${name}: ${checks.map(({ path }) => path).join(', ')}`.slice(0, 100),
        waitMs: deadlineMs,
      },
    );
    if (!outcome.measured) return notMeasured(name, outcome.reason);
    const seen = outcome.checks.find(({ version }) => (version ?? '') !== '')?.version;
    if (name === 'preview' && seen !== undefined) run.candidateVersion = seen;
    const result = judgeSmoke(name, outcome.checks);
    // The gate's clock stands still in a pause, so a check that failed in one gets its time again.
    if (opens(result) || !(pauses || run.control.isPaused())) return result;
    await run.control.whenMoving();
  }
};

type BakeInput = NonNullable<DeployServiceInput['bake']>;

/** Watching under traffic; `version` names the answers that count, where they can be told apart. */
export interface BakeGate {
  name: string;
  target: ProbeTarget;
  rule: BakeInput | undefined;
  version?: string | undefined;
  /** An operator holds the weight: the clock of the run stands still, that of the gate does not. */
  isHeld?: boolean;
  /** Looks at each metric; where nobody says, as many as it asks for. */
  mostLooks?: number;
}

export const bakeGate = async (run: ReleaseRun, bake: BakeGate): Promise<void> => {
  const { name, rule } = bake;
  if (rule === undefined) {
    end(run, name, { status: 'skipped', note: 'no bake asked for' });
    return;
  }
  const task = { ...bake, rule: name === 'bake' ? rule : { ...rule, name } };
  await gate(run, { name, failureCode: 'BAKE_FAILED' }, () => measureUnderTraffic(run, task));
};

/** Traffic, and the metrics of the release beside it. */
export const measureUnderTraffic = async (run: ReleaseRun, task: BakeTask): Promise<GateResult> => {
  const { name, rule, mostLooks } = task;
  const metrics = metricsOf(run, name);
  if (metrics.length === 0) return measureBake(run, task);
  const { forMs } = rule;
  const analysis = { run, name, forMs, metrics, names: queryNamesOf(run), mostLooks };
  const { result, rows } = await watchedWithMetrics(analysis, async () => {
    const traffic = await measureBake(run, task);
    // Requests cannot be sent here; the metrics need the time all the same.
    if (traffic.verdict === 'not-measured')
      await sleep(forMs, { summary: `${name}: metrics only` });
    return traffic;
  });
  for (const row of rows) keepGate(run, row);
  return result;
};

/** A comparison needs two versions under traffic; at the end there is one. */
const metricsOf = (
  { input: { analysis } }: ReleaseRun,
  gateName: string,
): NonNullable<DeployServiceInput['analysis']>['metrics'] =>
  (analysis?.metrics ?? []).filter((metric) => gateName !== 'bake' || !('compare' in metric));

type BakeTask = BakeGate & { rule: BakeInput & Pick<BakeRule, 'name' | 'longestWindowMs'> };

/** A chain of windows, of at most a minute but for a weight that is held long, so that a lost worker costs no more than one. */
const measureBake = async (run: ReleaseRun, task: BakeTask): Promise<GateResult> => {
  const { name, rule } = task;
  let tally = emptyTally;
  let pausedWindows = 0;
  for (;;) {
    const verdict = judgeBake(rule, tally);
    if (verdict !== undefined) return verdict;
    const window = nextWindow(rule, tally);
    if (window === undefined) throw new TypeError('a bake that is over has a verdict');
    const seen = await watchWindow(run, { ...task, window, tally });
    if (typeof seen === 'string') return notMeasured(name, seen);
    tally = seen;
    run.state.stages = noteStage(
      run.state.stages,
      name,
      `${tally.failures} of ${tally.samples} failed in ${Math.round(tally.watchedMs / 1_000)} s`,
    );
    pausedWindows = run.control.isPaused() ? pausedWindows + 1 : 0;
    const restMs = restBetweenPausedWindowsMs(pausedWindows);
    if (restMs > 0) await sleep(restMs, { summary: 'rest between windows of a long pause' });
  }
};

interface WindowTask extends BakeTask {
  window: WindowRequest;
  tally: BakeTally;
}

/** The tally with one window more, or why nothing can be measured here. */
const watchWindow = async (run: ReleaseRun, asked: WindowTask): Promise<BakeTally | string> => {
  const { name, rule, tally, target } = asked;
  const { path, requestsPerSecond } = rule;
  const window = windowInBudget(run, asked.window, requestsPerSecond);
  const task = { ...asked, window };
  const began = { atMs: Date.now(), clockMs: run.control.elapsedMs() };
  const outcome = await run.ports.probes.watch(
    { ...target, path, requestsPerSecond, ...windowOf(task) },
    {
      summary: `${name}: watch ${path} for ${Math.round(window.windowMs / 1_000)} s`,
      waitMs: window.windowMs,
    },
  );
  if (!outcome.measured) {
    countExposure(run, { notMeasured: outcome.reason });
    return outcome.reason;
  }
  keepSample(run, name, outcome.counts);
  const { samples, failures } = countsOf(outcome.counts, task.version);
  countExposure(run, { samples, failures });
  const tookMs = Date.now() - began.atMs;
  const clockRanMs = task.isHeld === true ? tookMs : run.control.elapsedMs() - began.clockMs;
  return addWindow(tally, {
    samples,
    failures,
    lastFailure: outcome.counts.lastFailure,
    watchedMs: watchedMs(window, {
      failures,
      endedEarly: outcome.counts.endedEarly === true,
      tookMs,
      clockRanMs,
    }),
  });
};

/** More samples than this are thinned out: the evidence must fit into a payload. */
const mostSamples = 200;

const keepSample = (run: ReleaseRun, gateName: string, counts: ProbeCounts): void => {
  const { samples, failures, latencyP50Ms, latencyP99Ms } = counts;
  const all = { version: '', samples, failures, latencyP50Ms, latencyP99Ms };
  const kept = run.evidence.samples ?? [];
  const thinned = kept.length < mostSamples ? kept : kept.filter((_, index) => index % 2 === 0);
  const weightPercent = run.rollout?.state.weightPercent;
  run.evidence.samples = [
    ...thinned,
    {
      atMs: Date.now(),
      gate: gateName,
      ...(weightPercent === undefined ? {} : { weightPercent }),
      versions: counts.versions ?? [all],
    },
  ];
};

/** Failures of another version must not end the window of the one that is watched. */
const windowOf = ({
  window,
  version,
}: WindowTask): Pick<WatchRequest, keyof WindowRequest | 'stopAtFailuresOf'> => {
  const { stopAtFailures } = window;
  if (version === undefined) return window;
  return {
    ...window,
    // What hangs names no version; far more failures than the candidate may have end it too.
    stopAtFailures: 10 * stopAtFailures,
    stopAtFailuresOf: { version, failures: stopAtFailures },
  };
};

const countsOf = (
  counts: ProbeCounts,
  version: string | undefined,
): { samples: number; failures: number } =>
  version === undefined || counts.versions === undefined
    ? counts
    : samplesOf(counts.versions, version);
