import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { ProbeTarget } from '../../activities/traffic/port.ts';
import type { DeployServiceInput } from '../../contracts/delivery/deploy-service.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import {
  addWindow,
  emptyTally,
  judgeBake,
  judgeSmoke,
  nextWindow,
  notMeasured,
  opens,
  restBetweenPausedWindowsMs,
  skippedGate,
  watchedMs,
} from '../../domain/delivery/gate.ts';
import type { BakeTally, GateResult, WindowRequest } from '../../domain/delivery/gate.ts';
import { noteStage } from '../../domain/delivery/release-stage.ts';
import { codedFailure } from '../runtime/failures.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { ReleaseRun } from './release-run.ts';
import type { RolledOut } from './roll-out.ts';
import type { StepEnd } from './run-step.ts';
import { end, step } from './run-step.ts';

/** Endpoints, smoke and bake: the new version must prove itself under requests. */
export const verifyRelease = async (
  run: ReleaseRun,
  { plan }: PreparedRelease,
  rolledOut: readonly RolledOut[],
): Promise<void> => {
  const { environment, service } = run.input;
  const target: ProbeTarget = { environment, service, services: plan.services };
  await awaitEndpoints(run, rolledOut);
  await smoke(run, target);
  await bake(run, target);
};

const awaitEndpoints = async (run: ReleaseRun, rolledOut: readonly RolledOut[]): Promise<void> => {
  const served = rolledOut.filter(({ services }) => services.length > 0);
  if (served.length === 0) {
    end(run, 'endpoints', {
      status: 'skipped',
      note: 'no Service selects a workload that changed',
    });
    return;
  }
  const name = { stage: 'endpoints', found: 'verify', skippable: true };
  await step(run, name, async () => {
    const counts = await Promise.all(served.map((workload) => endpointsOf(run, workload)));
    const total = counts.reduce((sum, { endpoints }) => sum + endpoints, 0);
    return { value: total, note: `${total} endpoints, all of the new version` };
  });
};

const endpointsOf = (
  run: ReleaseRun,
  { services, observation }: RolledOut,
): Promise<{ endpoints: number }> => {
  const { environment, service } = run.input;
  const { endpointsDeadlineMs: deadlineMs } = run.waits;
  const { replicaSet, wantedReplicas: replicas } = observation;
  const request = { environment, service, services, replicaSetUid: replicaSet.uid, replicas };
  return run.ports.workloads.awaitEndpoints(
    { ...request, deadlineMs },
    { summary: `wait until ${services.join(', ')} serve the new version`, waitMs: deadlineMs },
  );
};

const smoke = async (run: ReleaseRun, target: ProbeTarget): Promise<void> => {
  const checks = run.input.smoke;
  if (checks.length === 0) end(run, 'smoke', { status: 'skipped', note: 'no check asked for' });
  else await gate(run, 'smoke', () => measureSmoke(run, target, checks));
};

const measureSmoke = async (
  run: ReleaseRun,
  target: ProbeTarget,
  checks: DeployServiceInput['smoke'],
): Promise<GateResult> => {
  const { smokeDeadlineMs: deadlineMs } = run.waits;
  const asked = checks.map(({ path, expectStatus, expectBody }) => ({
    path,
    expectStatus,
    ...(expectBody === undefined ? {} : { expectBody }),
  }));
  for (;;) {
    const pauses = run.control.isPaused();
    const outcome = await run.ports.probes.smoke(
      { ...target, checks: asked, deadlineMs },
      {
        summary: `smoke: ${checks.map(({ path }) => path).join(', ')}`.slice(0, 100),
        waitMs: deadlineMs,
      },
    );
    if (!outcome.measured) return notMeasured('smoke', outcome.reason);
    const result = judgeSmoke(outcome.checks);
    // The gate's clock stands still in a pause, so a check that failed in one gets its time again.
    if (opens(result) || !(pauses || run.control.isPaused())) return result;
    await run.control.whenMoving();
  }
};

type BakeInput = NonNullable<DeployServiceInput['bake']>;

const bake = async (run: ReleaseRun, target: ProbeTarget): Promise<void> => {
  const rule = run.input.bake;
  if (rule === undefined) end(run, 'bake', { status: 'skipped', note: 'no bake asked for' });
  else await gate(run, 'bake', () => measureBake(run, target, rule));
};

/** A chain of windows of at most a minute, so that a lost worker costs no more than one. */
const measureBake = async (
  run: ReleaseRun,
  target: ProbeTarget,
  rule: BakeInput,
): Promise<GateResult> => {
  let tally = emptyTally;
  let pausedWindows = 0;
  for (;;) {
    const verdict = judgeBake(rule, tally);
    if (verdict !== undefined) return verdict;
    const window = nextWindow(rule, tally);
    if (window === undefined) throw new TypeError('a bake that is over has a verdict');
    const seen = await watchWindow(run, { ...target, rule, window, tally });
    if (typeof seen === 'string') return notMeasured('bake', seen);
    tally = seen;
    run.state.stages = noteStage(
      run.state.stages,
      'bake',
      `${tally.failures} of ${tally.samples} failed in ${Math.round(tally.watchedMs / 1_000)} s`,
    );
    pausedWindows = run.control.isPaused() ? pausedWindows + 1 : 0;
    const restMs = restBetweenPausedWindowsMs(pausedWindows);
    if (restMs > 0) await sleep(restMs, { summary: 'rest between windows of a long pause' });
  }
};

interface WindowTask extends ProbeTarget {
  rule: BakeInput;
  window: WindowRequest;
  tally: BakeTally;
}

/** The tally with one window more, or why nothing can be measured here. */
const watchWindow = async (run: ReleaseRun, task: WindowTask): Promise<BakeTally | string> => {
  const { rule, window, tally, ...target } = task;
  const { path, requestsPerSecond } = rule;
  const began = { atMs: Date.now(), clockMs: run.control.elapsedMs() };
  const outcome = await run.ports.probes.watch(
    { ...target, path, requestsPerSecond, ...window },
    {
      summary: `bake: watch ${path} for ${Math.round(window.windowMs / 1_000)} s`,
      waitMs: window.windowMs,
    },
  );
  if (!outcome.measured) return outcome.reason;
  const { samples, failures, lastFailure } = outcome.counts;
  const tookMs = Date.now() - began.atMs;
  const clockRanMs = run.control.elapsedMs() - began.clockMs;
  const seen = { samples, failures, lastFailure };
  return addWindow(tally, {
    ...seen,
    watchedMs: watchedMs(window, { failures, tookMs, clockRanMs }),
  });
};

const gateStage: Record<GateResult['verdict'], StepEnd<unknown>['status']> = {
  pass: 'done',
  fail: 'failed',
  'no-data': 'failed',
  'not-measured': 'not-measured',
  skipped: 'skipped',
};

/** Measures a gate, which an operator may skip meanwhile, and fails where it does not open. */
const gate = async (
  run: ReleaseRun,
  name: GateResult['name'],
  measure: () => Promise<GateResult>,
): Promise<void> => {
  const stage = { stage: name, found: 'verify', skippable: true };
  const passed = await step(run, stage, async () => {
    const result = await measureUnlessSkipped(run, name, measure);
    keep(run, result);
    if (!opens(result))
      throw codedFailure({ code: codeOf(result), message: `${name}: ${result.note}` });
    const status = gateStage[result.verdict];
    return { value: result, note: result.note, ...(status === undefined ? {} : { status }) };
  });
  if (passed === undefined) keep(run, skippedGate(name, 'an operator skipped it after it failed'));
};

const measureUnlessSkipped = async (
  run: ReleaseRun,
  name: GateResult['name'],
  measure: () => Promise<GateResult>,
): Promise<GateResult> => {
  const open: NonNullable<ReleaseRun['gate']> = { scope: new CancellationScope() };
  run.gate = open;
  try {
    return await open.scope.run(measure);
  } catch (error) {
    if (open.skippedBy === undefined || !isCancellation(error)) throw error;
    return skippedGate(name, open.skippedBy);
  } finally {
    delete run.gate;
  }
};

const keep = (run: ReleaseRun, result: GateResult): void => {
  run.state.gates = [...run.state.gates.filter(({ name }) => name !== result.name), result];
};

const codeOf = ({ name, verdict }: GateResult): ErrorCode => {
  if (verdict === 'no-data') return 'NO_DATA';
  return name === 'smoke' ? 'SMOKE_FAILED' : 'BAKE_FAILED';
};
