import type { InjectedSinks } from '@temporalio/worker';
import type { Sinks } from '@temporalio/workflow';
import type { RefusedMessage } from '../contracts/messages.ts';
import type { Audit } from './audit.ts';

interface RefusalSinks extends Sinks {
  refusals: { tell(refused: RefusedMessage): void };
}

/** Records messages that a run refused before anybody was asked who sends them. */
export const refusalSinks = (
  audit: Pick<Audit, 'record'> | undefined,
): InjectedSinks<RefusalSinks> => ({
  refusals: {
    tell: {
      fn: async ({ workflowId, runId }, { id, action, actor, reason, why }) => {
        await audit?.record([
          {
            id: `${runId}/${id}/refused`,
            atMs: Date.now(),
            actor: { name: actor, verification: 'unverified' },
            action,
            subject: { run: workflowId },
            reason,
            decision: { verdict: 'refused', rule: why },
            phase: 'effect',
            correlation: runId,
          },
        ]);
      },
      // A replay refuses nothing anew.
      callDuringReplay: false,
    },
  },
});
