import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { beginStage, endStage } from '../../domain/delivery/release-stage.ts';
import type { StageStatus } from '../../domain/delivery/release-stage.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import { announce } from './announce.ts';
import type { OpenRun, ReleaseRun } from './release-run.ts';

/** How a step ended well; `note` is for the stage table. */
export interface StepEnd<T> {
  value: T;
  note?: string;
  status?: StageStatus;
}

export interface StepName {
  /** Line of the stage table. */
  stage: string;
  /** Coarse name for the search attribute; several steps share one. */
  found?: string;
  /** May an operator leave it out when `onFailure` is `hold`? Writes may not. */
  skippable?: boolean;
}

export const begin = (run: OpenRun, { stage, found }: StepName): void => {
  run.state.stages = beginStage(run.state.stages, stage, Date.now());
  run.note(`${stage} began`);
  run.show(found === undefined ? {} : { stage: found });
};

export const end = (
  run: OpenRun,
  stage: string,
  how: { status: StageStatus; note?: string | undefined },
): void => {
  const { status, note } = how;
  const text = note === undefined ? {} : { note };
  run.state.stages = endStage(run.state.stages, stage, { status, ...text, nowMs: Date.now() });
  run.note(`${stage}: ${status}${note === undefined ? '' : `, ${note}`}`);
};

/**
 * One forward move: waits while the run is paused, shows itself as a stage, and with
 * `onFailure: hold` asks an operator instead of failing. Undefined if it was skipped.
 */
export const step = async <T>(
  run: ReleaseRun,
  name: StepName,
  move: () => Promise<StepEnd<T>>,
): Promise<T | undefined> => {
  for (;;) {
    await whenMoving(run);
    begin(run, name);
    try {
      const { value, note, status } = await move();
      end(run, name.stage, { status: status ?? 'done', note });
      return value;
    } catch (error) {
      if (await isSkipped(run, name, error)) return undefined;
    }
  }
};

const whenMoving = async (run: ReleaseRun): Promise<void> => {
  if (run.control.isPaused()) {
    run.state.status = run.state.waitingFor === undefined ? 'paused' : 'waiting';
    run.show();
    await run.control.whenMoving();
  }
  run.state.status = 'running';
};

/** True: leave it out. False: try it again. Throws where the way back has to begin. */
const isSkipped = async (run: ReleaseRun, name: StepName, error: unknown): Promise<boolean> => {
  const stopped = run.control.stopped();
  if (stopped !== undefined || isCancellation(error)) {
    fail(run, name.stage, stopped?.message ?? 'cancelled');
    throw error;
  }
  const failure = codedErrorOf(error);
  fail(run, name.stage, failure.message);
  // Before the first write there is nothing to hold: the release is refused.
  if (run.input.onFailure === 'unwind' || run.saga.ledger().length === 0) throw error;
  const answer = await askAboutStep(run, name, failure.message);
  if (answer === 'abort') throw error;
  delete run.state.failedStep;
  if (answer === 'skip')
    end(run, name.stage, { status: 'skipped', note: 'an operator skipped it' });
  return answer === 'skip';
};

const fail = (run: ReleaseRun, stage: string, why: string): void => {
  end(run, stage, { status: 'failed', note: why });
  run.state.failedStep ??= stage;
};

const operatorHold = 'operator';

const askAboutStep = async (
  run: ReleaseRun,
  { stage, skippable = false }: StepName,
  why: string,
): Promise<'retryStep' | 'skip' | 'abort'> => {
  const verbs = skippable
    ? (['retryStep', 'skip', 'abort'] as const)
    : (['retryStep', 'abort'] as const);
  run.control.hold(operatorHold);
  run.state.status = 'needs-operator';
  run.state.waitingFor = { what: `an operator: ${stage} failed, ${why}`, verbs: [...verbs] };
  run.show();
  void announce(run, 'needs-operator', `${stage} failed and is held: ${why}`);
  try {
    const { verb } = await run.desk.ask({ what: stage, verbs });
    return verb === 'retryCompensation' ? 'retryStep' : verb;
  } finally {
    delete run.state.waitingFor;
    run.control.lift(operatorHold);
    if (!CancellationScope.current().consideredCancelled) run.state.status = 'running';
    run.show();
  }
};
