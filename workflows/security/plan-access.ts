import type { AccessPlan } from '../../activities/identity/port.ts';
import { describeChange } from '../../domain/security/access-change.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { begin, end } from './access-run.ts';
import type { AccessRun } from './access-run.ts';

/** Holds the change against the rules and the grants as they are now. @throws ACCESS_CONFLICT */
export const planAccess = async (run: AccessRun): Promise<AccessPlan> => {
  begin(run, 'plan', 'plan');
  const { change: asked } = run;
  const plan = await run.ports.accessChanges
    .plan({ change: asked }, { summary: 'hold the change against the rules' })
    .catch((error: unknown) => {
      const failure = codedErrorOf(error);
      end(run, 'plan', { status: 'failed', note: failure.message });
      throw codedFailure(failure);
    });
  run.plan = plan;
  const { before, after, planDigest, targets } = plan;
  Object.assign(run.state, {
    ...{ before: [...before], after: [...after], planDigest },
    targets: targets.map((target) => ({ target, state: 'pending', note: '' })),
  });
  end(run, 'plan', { note: describeChange(asked) });
  return plan;
};
