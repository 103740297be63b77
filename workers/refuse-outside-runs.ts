import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { codedFailure } from '../activities/coded-failure.ts';

/** What may be asked without a run: it reads, and writes nothing. */
const readOnly: ReadonlySet<string> = new Set(['releases.plan']);

/**
 * A client can start an activity by itself, past every run and all that a run checks. Where access is
 * configured, nothing that writes is carried out so.
 */
export const refuseOutsideRuns: ActivityInterceptorsFactory = ({ info }: Context) => ({
  inbound: {
    execute: async (input, next) => {
      if (info.inWorkflow || readOnly.has(info.activityType)) return next(input);
      throw codedFailure({
        code: 'IDENTITY_UNPROVEN',
        message: `${info.activityType} is carried out for a run alone. Nothing was changed.`,
        next: 'Start a release with `holdfast deploy`; the run does what is permitted.',
      });
    },
  },
});
