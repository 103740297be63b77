import { CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { ErrorCode } from '../../contracts/errors.ts';
import { opens, skippedGate } from '../../domain/delivery/gate.ts';
import type { GateResult } from '../../domain/delivery/gate.ts';
import { codedFailure } from '../runtime/failures.ts';
import type { OperatorAnswer } from '../runtime/operator-desk.ts';
import { announce } from './announce.ts';
import type { ReleaseRun } from './release-run.ts';
import type { StepEnd } from './run-step.ts';
import { step } from './run-step.ts';

const gateStage: Record<GateResult['verdict'], StepEnd<unknown>['status']> = {
  pass: 'done',
  fail: 'failed',
  inconclusive: 'failed',
  'no-data': 'failed',
  'not-measured': 'not-measured',
  skipped: 'skipped',
};

interface NamedGate {
  name: string;
  failureCode: ErrorCode;
}

/** Measures a gate, which an operator may skip meanwhile, and fails where it does not open. */
export const gate = async (
  run: ReleaseRun,
  named: NamedGate,
  measure: () => Promise<GateResult>,
): Promise<void> => {
  const { name } = named;
  const stage = { stage: name, found: 'verify', skippable: true };
  const passed = await step(run, stage, async () => {
    const result = await passGate(run, named, measure);
    const status = gateStage[result.verdict];
    return { value: result, note: result.note, ...(status === undefined ? {} : { status }) };
  });
  if (passed === undefined)
    keepGate(run, skippedGate(name, 'an operator skipped it after it failed'));
};

/** The same within a step that is there already. */
export const passGate = async (
  run: ReleaseRun,
  { name, failureCode }: NamedGate,
  measure: () => Promise<GateResult>,
): Promise<GateResult> => {
  const result = await decided(run, name, measure);
  keepGate(run, result);
  if (opens(result)) return result;
  throw codedFailure({
    code: codeOf(result, failureCode),
    message: `${name}: ${result.note}`,
  });
};

const codeOf = ({ verdict, decidedBy }: GateResult, failureCode: ErrorCode): ErrorCode => {
  if (verdict === 'no-data') return 'NO_DATA';
  return decidedBy === undefined ? failureCode : 'ANALYSIS_FAILED';
};

/** Measures until there is a verdict: what is inconclusive is put to an operator. */
const decided = async (
  run: ReleaseRun,
  name: string,
  measure: () => Promise<GateResult>,
): Promise<GateResult> => {
  for (;;) {
    const result = await measureUnlessSkipped(run, name, measure);
    if (result.verdict !== 'inconclusive') return result;
    keepGate(run, result);
    const answer = await askAboutInconclusive(run, result);
    if (answer === undefined) {
      return { ...result, verdict: 'fail', note: `nobody decided in time: ${result.note}` };
    }
    const { verb, actor, reason } = answer;
    if (verb === 'skip') return skippedGate(name, `${actor} took it as good: ${reason}`);
    if (verb === 'abort') {
      throw codedFailure({ code: 'ABORTED', message: `${actor} aborted the release: ${reason}` });
    }
  }
};

const defaultDecisionMs = 3_600_000;
const decisionHold = 'decision';

/** Waits for someone to decide; undefined when nobody did in time. The clocks stand still. */
export const askAboutInconclusive = async (
  run: ReleaseRun,
  { name, note }: Pick<GateResult, 'name' | 'note'>,
  hold = decisionHold,
): Promise<OperatorAnswer | undefined> => {
  const decideWithinMs = run.input.analysis?.decideWithinMs ?? defaultDecisionMs;
  const verbs = ['retryStep', 'skip', 'abort'] as const;
  // What is watched beside each other may be in doubt at the same time; one question at a time.
  if (run.desk.question() !== undefined) await condition(() => run.desk.question() === undefined);
  const before = run.state.waitingFor;
  run.state.status = 'waiting';
  run.state.waitingFor = {
    what: `a decision: ${name} is inconclusive, ${note}`,
    verbs: [...verbs],
    deadlineAtMs: Date.now() + decideWithinMs,
  };
  run.show();
  void announce(run, 'needs-operator', `${name} is inconclusive: ${note}`);
  run.control.hold(hold);
  const scope = new CancellationScope({ cancellable: true });
  try {
    return await scope.run(() =>
      Promise.race([
        run.desk.ask({ what: name, verbs }),
        sleep(decideWithinMs, { summary: `decision on ${name}` }).then(() => undefined),
      ]),
    );
  } finally {
    scope.cancel();
    run.control.lift(hold);
    delete run.state.waitingFor;
    if (before !== undefined) run.state.waitingFor = before;
    run.state.status = before === undefined ? 'running' : 'waiting';
  }
};

const measureUnlessSkipped = async (
  run: ReleaseRun,
  name: string,
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

export const keepGate = (run: ReleaseRun, result: GateResult): void => {
  run.state.gates = [...run.state.gates.filter(({ name }) => name !== result.name), result];
};
