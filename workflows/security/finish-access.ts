import { log } from '@temporalio/workflow';
import type { ManageAccessResult } from '../../contracts/security/manage-access.ts';
import type { AccessRun } from './access-run.ts';

/** Records how the change ended, and tells it. */
export const finish = async (
  run: AccessRun,
  outcome: ManageAccessResult['outcome'],
): Promise<ManageAccessResult> => {
  const { change, planDigest = '', before, after, targets } = run.state;
  run.state.outcome = outcome;
  run.show({ outcome, stage: 'finished' });
  try {
    await run.ports.accessChanges.conclude({ change, outcome }, { summary: 'record the outcome' });
  } catch (error) {
    // The sweeper of the audit log finds the run without an outcome, and what became of it.
    log.warn('the outcome was not recorded', { error });
  }
  return {
    ...{ outcome, change, planDigest },
    ...(outcome === 'put-back' ? { given: [], removed: [] } : writtenBy(run)),
    ...{ before, after: outcome === 'put-back' ? before : after, targets },
    ...(run.failure === undefined ? {} : { failure: run.failure }),
    ...(run.review === undefined ? {} : { review: run.review }),
    evidence: run.evidence,
  };
};

const writtenBy = ({ given, removed }: AccessRun): Pick<AccessRun, 'given' | 'removed'> => ({
  given,
  removed,
});
