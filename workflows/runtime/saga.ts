import { CancellationScope, condition, sleep } from '@temporalio/workflow';
import type { CodedError } from '../../contracts/errors.ts';
import {
  failedEntries,
  giveUp,
  isSettled,
  recordCompensation,
  retryFailed,
  settle,
  skipFailed,
  undoable,
} from '../../domain/shared/saga-ledger.ts';
import type {
  CompensationOutcome,
  Ledger,
  LedgerEntry,
  NewEntry,
} from '../../domain/shared/saga-ledger.ts';
import { codedErrorOf, codedFailure } from './failures.ts';
import type { OperatorAnswer } from './operator-desk.ts';
import type { Waits } from './timeouts.ts';

/** Undoes one step if it was done. `budgetMs` is the time that is left for it. */
export type Undo = (budgetMs: number) => Promise<{ outcome: CompensationOutcome; note: string }>;

export interface Saga {
  ledger(): Ledger;
  /** Call it before the step, so that a step that took effect unseen is undone too. */
  record(entry: NewEntry, undo: Undo): void;
  /** Undoes everything, last in first out, asking an operator where it cannot. */
  unwind(): Promise<void>;
}

export interface SagaOptions extends PersistOptions {
  /** Asks an operator for `retryCompensation`, `skip` or `abort`. */
  ask(failed: readonly LedgerEntry[]): Promise<OperatorAnswer>;
  /** The ledger changed; a good moment to show it. */
  changed(ledger: Ledger): void;
}

/** The caller unwinds in a non-cancellable scope. */
export const createSaga = (options: SagaOptions): Saga => {
  const undos = new Map<string, Undo>();
  const running = new Set<string>();
  let ledger: Ledger = [];

  const update = (next: Ledger): void => {
    ledger = next;
    options.changed(next);
  };
  const undo = async ({ step }: LedgerEntry): Promise<void> => {
    try {
      const attempt = undos.get(step) ?? nothingToUndo;
      const receipt = await persist(`undo: ${step}`, options, attempt);
      update(settle(ledger, step, receipt));
    } catch (error) {
      const failure = codedErrorOf(error);
      update(settle(ledger, step, { outcome: 'failed', note: failure.message, error: failure }));
    }
  };
  const startUndoable = (): void => {
    for (const entry of undoable(ledger)) {
      if (running.has(entry.step)) continue;
      running.add(entry.step);
      void undo(entry).then(() => {
        running.delete(entry.step);
        startUndoable();
      });
    }
  };

  return {
    ledger: () => ledger,
    record(entry, undoIt) {
      undos.set(entry.step, undoIt);
      update(recordCompensation(ledger, entry));
    },
    async unwind() {
      for (;;) {
        startUndoable();
        await condition(() => running.size === 0);
        if (isSettled(ledger)) return;
        update(applyAnswer(ledger, await options.ask(failedEntries(ledger))));
      }
    },
  };
};

const nothingToUndo: Undo = () => Promise.resolve({ outcome: 'nothing-to-undo', note: '' });

const applyAnswer = (ledger: Ledger, { verb, actor, reason }: OperatorAnswer): Ledger => {
  const note = `left as it is: ${actor} said “${reason}”`;
  switch (verb) {
    case 'skip':
      return skipFailed(ledger, note);
    case 'abort':
      return giveUp(ledger, note);
    case 'retryCompensation':
    case 'retryStep':
      return retryFailed(ledger);
  }
};

export interface PersistOptions {
  waits: Waits;
  /** Attempts at one thing end after this. */
  deadlineMs: number;
  /** Something takes longer than an operator should not know about; called once for each. */
  alert(what: string, lastError: CodedError | undefined): void;
}

/** A newer owner fenced the run off: trying again cannot help. */
const hopeless = 'FENCED';

/**
 * Tries until it succeeds or the deadline is over. At least two attempts are made, because
 * the deadline may have passed while no worker was running.
 */
export const persist = async <T>(
  what: string,
  options: PersistOptions,
  attempt: (budgetMs: number) => Promise<T>,
): Promise<T> => {
  const { waits, deadlineMs } = options;
  const endsAtMs = Date.now() + deadlineMs;
  const last: { error?: CodedError } = {};
  const alarm = ringAfter(waits.operatorAlertMs, () => options.alert(what, last.error));
  try {
    for (let made = 1; ; made += 1) {
      const tried = await outcomeOf(attempt, Math.max(endsAtMs - Date.now(), waits.leastUndoMs));
      if ('value' in tried) return tried.value;
      last.error = tried.error;
      const gapMs = Math.min(waits.firstUndoRetryMs * 2 ** (made - 1), waits.longestUndoRetryMs);
      const isOver = made > 1 && Date.now() + gapMs >= endsAtMs;
      if (tried.error.code === hopeless || isOver) throw codedFailure(tried.error);
      await sleep(gapMs, { summary: `try again: ${what}`.slice(0, 100) });
    }
  } finally {
    alarm.cancel();
  }
};

const outcomeOf = async <T>(
  attempt: (budgetMs: number) => Promise<T>,
  budgetMs: number,
): Promise<{ value: T } | { error: CodedError }> => {
  try {
    return { value: await attempt(budgetMs) };
  } catch (error) {
    return { error: codedErrorOf(error) };
  }
};

const ringAfter = (afterMs: number, ring: () => void): CancellationScope => {
  const scope = new CancellationScope({ cancellable: true });
  const rung = scope.run(() => sleep(afterMs, { summary: 'tell an operator' }));
  void rung.then(ring, () => undefined);
  return scope;
};
