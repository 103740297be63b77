import type { InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { RefusedMessage } from '../contracts/messages.ts';
import { refusalsTold } from '../domain/security/refusal-records.ts';
import type { Audit } from './audit.ts';

interface RefusalSinks extends Sinks {
  refusals: { tell(refused: RefusedMessage): void };
}

/** Counts are kept for so many runs; one that was forgotten is counted anew. */
const mostRuns = 10_000;

/** Records messages that a run refused before anybody was asked who sends them. */
export const refusalSinks = (
  audit: Pick<Audit, 'record'> | undefined,
): InjectedSinks<RefusalSinks> => {
  const countOf = createCounts();
  return {
    refusals: {
      tell: {
        fn: async ({ workflowId, runId }, { id, action, actor, reason, why }) => {
          const told = refusalsTold(countOf(runId));
          if (told === 0) return;
          const others = told === 1 ? '' : `; ${String(told)} refusals since the last record`;
          await audit?.record([
            {
              id: `${runId}/${id}/refused`,
              atMs: Date.now(),
              actor: { name: actor, verification: 'unverified' },
              action,
              subject: { run: workflowId },
              reason,
              decision: { verdict: 'refused', rule: `${why}${others}` },
              phase: 'effect',
              correlation: runId,
            },
          ]);
        },
        // A replay refuses nothing anew.
        callDuringReplay: false,
      },
    },
  };
};

/** Counts by run; of the run that was counted longest ago first, where there are too many. */
const createCounts = (): ((runId: string) => number) => {
  const counts = new Map<string, number>();
  return (runId) => {
    const count = (counts.get(runId) ?? 0) + 1;
    counts.delete(runId);
    counts.set(runId, count);
    const [oldest] = counts.keys();
    if (counts.size > mostRuns && oldest !== undefined) counts.delete(oldest);
    return count;
  };
};
