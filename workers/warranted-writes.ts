import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Warrants } from '../activities/identity/index.ts';
import type { PlanStep } from '../activities/kubernetes/port.ts';

/**
 * Checks the warrant of each write before it is made. Workers of workflows need not be believed: one
 * that asks for a write which nobody approved is refused here.
 */
export const warrantedWrites =
  (warrants: Warrants): ActivityInterceptorsFactory =>
  ({ info }: Context) => ({
    inbound: {
      execute: async (input, next) => {
        if (info.activityType !== 'releases.write') return next(input);
        const [request] = input.args as [PlanStep];
        const { environment, service, release, planDigest, warrant } = request;
        const { workflowId = '', runId = '' } = info.workflowExecution ?? {};
        const write = { workflowId, runId, environment, service, release, planDigest };
        await warrants.check(write, warrant);
        return next(input);
      },
    },
  });
