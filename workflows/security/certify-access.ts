import type { ManageAccessResult } from '../../contracts/security/manage-access.ts';
import { announce, begin, end } from './access-run.ts';
import type { AccessRun } from './access-run.ts';
import { awaitDecision, openDecision } from './await-decision.ts';
import { finish } from './finish-access.ts';
import { planAccess } from './plan-access.ts';

/** Somebody confirms all that is given; if it changes meanwhile, they are shown it again. */
export const certify = async (run: AccessRun): Promise<ManageAccessResult> => {
  for (;;) {
    const { planDigest, approval } = await planAccess(run);
    if (run.approvedDigest === planDigest || approval === undefined)
      return finish(run, 'certified');
    begin(run, 'certification', 'approval');
    const open = openDecision(run, { name: 'certification', planDigest, wanted: approval });
    const decision = await awaitDecision(run, open);
    delete run.approval;
    if (decision?.approved === true) {
      run.approvedDigest = planDigest;
      end(run, 'certification', { note: decision.by });
      continue;
    }
    const why = decision?.by ?? run.stopped ?? 'nobody certified it in time';
    end(run, 'certification', { status: 'failed', note: why });
    await announce(run, 'access.not-certified', `${run.change.change}: ${why}`);
    return finish(run, 'not-certified');
  }
};
