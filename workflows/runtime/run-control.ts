import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { CodedError } from '../../contracts/errors.ts';
import {
  elapsedMs,
  heldClock,
  holdClock,
  isHeld,
  liftHold,
  remainingMs,
} from '../../domain/shared/run-clock.ts';
import type { RunClock } from '../../domain/shared/run-clock.ts';
import { codedFailure } from './failures.ts';

/** Stops, pauses and times the forward moves of a run. Watching and the way back go on. */
export interface RunControl {
  /** True between `pause` and `resume`, and while `undecidedHold` is held. */
  isPaused(): boolean;
  /** Why the forward moves were stopped; undefined while they were not. */
  stopped(): CodedError | undefined;
  /** Stops all forward moves for good; the first reason counts. False when they are over. */
  stop(reason: CodedError): boolean;
  pause(): void;
  resume(): void;
  /** The deadline and gate clocks stand still from `hold` to `lift`. */
  hold(reason: string): void;
  lift(reason: string): void;
  /** Time that the run was allowed to move. */
  elapsedMs(): number;
  /** Waits while the run is paused. */
  whenMoving(): Promise<void>;
  /** Runs the forward moves: `stop` and the deadline cancel them and become its failure. */
  forward<T>(deadlineMs: number, moves: () => Promise<T>): Promise<T>;
}

const pausedHold = 'paused';

/** Forward moves stand still for this hold as in a pause: an operator has to decide first. */
export const undecidedHold = 'undecided';

interface ControlState {
  clock: RunClock;
  stopped?: CodedError;
  /** The scope of the forward moves while they run. */
  moves?: CancellationScope;
  isOver: boolean;
}

/** A control whose clock stands still until `firstHold` is lifted. */
export const createRunControl = (firstHold: string): RunControl => {
  const state: ControlState = { clock: heldClock(firstHold), isOver: false };
  const hold = (reason: string): void => {
    state.clock = holdClock(state.clock, reason, Date.now());
  };
  const lift = (reason: string): void => {
    state.clock = liftHold(state.clock, reason, Date.now());
  };
  const isPaused = (): boolean =>
    state.clock.holds.some((hold) => hold === pausedHold || hold === undecidedHold);
  return {
    isPaused,
    stopped: () => state.stopped,
    stop: (reason) => stop(state, reason),
    pause: () => hold(pausedHold),
    resume: () => lift(pausedHold),
    hold,
    lift,
    elapsedMs: () => elapsedMs(state.clock, Date.now()),
    whenMoving: () => condition(() => !isPaused()),
    forward: (deadlineMs, moves) => forward(state, deadlineMs, moves),
  };
};

const stop = (state: ControlState, reason: CodedError): boolean => {
  if (state.isOver) return false;
  if (state.stopped === undefined) {
    state.stopped = reason;
    state.moves?.cancel();
  }
  return true;
};

const forward = async <T>(
  state: ControlState,
  deadlineMs: number,
  moves: () => Promise<T>,
): Promise<T> => {
  throwIfStopped(state);
  const scope = new CancellationScope({ cancellable: true });
  const deadline = new CancellationScope({ cancellable: true });
  state.moves = scope;
  void deadline.run(() => watchDeadline(state, deadlineMs)).catch(ignoreCancellation);
  try {
    const result = await scope.run(moves);
    throwIfStopped(state);
    return result;
  } catch (error) {
    if (isCancellation(error)) throwIfStopped(state);
    throw error;
  } finally {
    deadline.cancel();
    state.isOver = true;
  }
};

const throwIfStopped = ({ stopped }: ControlState): void => {
  if (stopped !== undefined) throw codedFailure(stopped);
};

const watchDeadline = async (state: ControlState, deadlineMs: number): Promise<void> => {
  for (;;) {
    await condition(() => !isHeld(state.clock));
    const leftMs = remainingMs(state.clock, deadlineMs, Date.now());
    if (leftMs <= 0) break;
    await condition(() => isHeld(state.clock), leftMs, { summary: 'deadline of the run' });
  }
  stop(state, {
    code: 'DEADLINE_EXCEEDED',
    message: `The run did not finish within ${deadlineMs / 1_000} s and was stopped.`,
  });
};

const ignoreCancellation = (error: unknown): void => {
  if (!isCancellation(error)) throw error;
};

/** Turns a cancellation of the workflow into a stop, so that there is one way to end a run. */
export const stopWhenCancelled = (control: RunControl): void => {
  CancellationScope.current().cancelRequested.catch(() => {
    control.stop({ code: 'ABORTED', message: 'The run was cancelled.' });
  });
};

/**
 * Lets a short write end when the run is stopped, so that its outcome is known before
 * the way back begins. After the grace it is abandoned, and fenced by the next epoch.
 */
export const finishWrite = async <T>(graceMs: number, write: () => Promise<T>): Promise<T> => {
  const outer = CancellationScope.current();
  if (outer.consideredCancelled) await outer.cancelRequested;
  const result = await CancellationScope.nonCancellable(() => withGrace(outer, graceMs, write));
  if (outer.consideredCancelled) await outer.cancelRequested;
  return result;
};

const withGrace = async <T>(
  outer: CancellationScope,
  graceMs: number,
  write: () => Promise<T>,
): Promise<T> => {
  const inner = new CancellationScope({ cancellable: true });
  const call = { ended: false };
  outer.cancelRequested.catch(async () => {
    if (call.ended) return;
    const ended = await condition(() => call.ended, graceMs, { summary: 'grace for a write' });
    if (!ended) inner.cancel();
  });
  try {
    return await inner.run(write);
  } finally {
    call.ended = true;
  }
};
