import type { DataConverter } from '@temporalio/common';
import { Worker } from '@temporalio/worker';

/** Replays histories with the workflows as they are. */
export interface HistoryReplayer {
  /** Throws DeterminismViolationError where the workflows would have made another history. */
  replay(history: unknown, workflowId: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * One worker replays all, because its start takes longer than most replays. It reads payloads
 * with the converter, if there is one.
 */
export const createReplayer = (dataConverter?: DataConverter): HistoryReplayer => {
  const codePath = process.env['HOLDFAST_WORKFLOW_BUNDLE'];
  if (codePath === undefined) throw new Error('the global set-up made no workflow bundle');
  let wanted: { history: unknown; workflowId: string } | undefined;
  const histories = function* () {
    while (wanted !== undefined) yield wanted;
  };
  const converter = dataConverter === undefined ? {} : { dataConverter };
  const results = Worker.runReplayHistories(
    { workflowBundle: { codePath }, ...converter },
    histories(),
  );
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };
  return {
    replay: (history, workflowId) =>
      inTurn(async () => {
        wanted = { history, workflowId };
        const result = await results.next();
        if (result.done === true) throw new Error('the replay worker has ended');
        if (result.value.error !== undefined) throw result.value.error;
      }),
    close: () =>
      inTurn(async () => {
        await results.return?.();
      }),
  };
};
