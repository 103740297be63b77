import type { LedgerEntry } from '../../domain/shared/saga-ledger.ts';
import type { OperatorAnswer } from '../runtime/operator-desk.ts';
import type { SagaOptions } from '../runtime/saga.ts';
import type { Waits } from '../runtime/timeouts.ts';
import { announce } from './announce.ts';
import type { Announcer } from './announce.ts';
import type { OpenRun } from './release-run.ts';

/** A run on its way back: a release that failed, or a restore. */
export type Unwinder = OpenRun & Announcer & { waits: Waits };

/** Waits for an operator where something cannot be undone; the run shows the verbs. */
export const askOperator = async (
  run: Unwinder,
  what: string,
  why: string,
): Promise<OperatorAnswer> => {
  const verbs = ['retryCompensation', 'skip', 'abort'] as const;
  run.state.status = 'needs-operator';
  run.state.waitingFor = { what: `an operator: ${what} failed, ${why}`, verbs: [...verbs] };
  run.show();
  void announce(run, 'needs-operator', `${what} could not be undone: ${why}`);
  const answer = await run.desk.ask({ what, verbs });
  delete run.state.waitingFor;
  run.state.status = 'unwinding';
  run.show();
  return answer;
};

/** How the saga of a run asks, alerts and shows itself. */
export const unwindOptions = (run: Unwinder, deadlineMs: number): SagaOptions => ({
  waits: run.waits,
  deadlineMs,
  ask: (failed) => {
    const notes = failed.map(({ note }) => note).join('; ');
    return askOperator(run, failed.map(({ step }) => step).join(', '), notes);
  },
  alert: (what, lastError) => {
    const seconds = Math.round(run.waits.operatorAlertMs / 1_000);
    const last = lastError === undefined ? '' : ` Last error: ${lastError.message}`;
    const text = `${what} is not done after ${seconds} s; attempts go on.${last}`;
    run.note(text);
    void announce(run, 'needs-operator', text);
  },
  changed: (ledger) => {
    run.state.compensations = compensationsOf(ledger);
    if (run.state.status === 'unwinding') run.show();
  },
});

type Compensations = OpenRun['state']['compensations'];

/** In the order of undoing, without what has not been tried yet. */
export const compensationsOf = (ledger: readonly LedgerEntry[]): Compensations =>
  ledger
    .flatMap(({ step, state, note, error }) =>
      state === 'recorded'
        ? []
        : [{ step, outcome: state, note, ...(error === undefined ? {} : { error }) }],
    )
    .reverse();
