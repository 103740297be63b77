import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';

type History = Parameters<typeof historyToJSON>[0];

const failedReplays = path.resolve(import.meta.dirname, '../../.holdfast/failed-replays');

/** The run is gone when someone reads the report; its history says what happened in which order. */
const withHistory = async (error: Error, workflowId: string, history: History): Promise<Error> => {
  await mkdir(failedReplays, { recursive: true });
  const file = path.join(failedReplays, `${workflowId.replaceAll(/[^\w.-]/g, '_')}.json`);
  await writeFile(file, historyToJSON(history));
  return Object.assign(error, {
    message: `${error.message}\nThe history of ${workflowId} is kept in ${file}.`,
  });
};

/** One that was read from a file is there already. */
const isFetched = (history: unknown): history is History =>
  typeof (history as Partial<History>).events?.[0]?.eventType === 'number';

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
        if (result.value.error === undefined) return;
        const { error } = result.value;
        throw isFetched(history) ? await withHistory(error, workflowId, history) : error;
      }),
    close: () =>
      inTurn(async () => {
        await results.return?.();
      }),
  };
};
