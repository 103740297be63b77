/**
 * Changes who has which roles (requirement 004 UC-19). It ends with the roles changed and read back
 * in every target, or with everything as before; what a target does not take is kept in
 * `needs-operator` and named. Removals are in place everywhere before anything is given. A crash of any
 * process is survived: a write that happened is found by its id, and targets are compared with what
 * they should have. Put back are both, roles and targets. What is given for a time is taken away here.
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { AccessPlan, VerifiedActor } from '../../activities/identity/port.ts';
import type {
  ManageAccessInput,
  ManageAccessResult,
} from '../../contracts/security/manage-access.ts';
import { changeOf, describeChange } from '../../domain/security/access-change.ts';
import { whoDid } from '../runtime/approval-messages.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { identityEvidence } from '../runtime/messages.ts';
import { portsOf } from '../runtime/ports.ts';
import { parseInput } from '../runtime/validation.ts';
import { acceptAccessMessages } from './access-messages.ts';
import { announce, begin, end, openAccessRun, verifyRequester } from './access-run.ts';
import type { AccessRun, OpenAccessRun } from './access-run.ts';
import { awaitDecision, openDecision } from './await-decision.ts';
import { awaitReview, endOfGrants, openReview } from './grants-for-a-time.ts';
import { certify } from './certify-access.ts';
import { finish } from './finish-access.ts';
import { planAccess } from './plan-access.ts';
import { takeBack, writePhase } from './propagate.ts';
import type { Taken } from './propagate.ts';

export async function manageAccess(request: unknown): Promise<ManageAccessResult> {
  const open = openAccessRun();
  acceptAccessMessages(open);
  CancellationScope.current().cancelRequested.catch(() => {
    open.stopped ??= 'the run was cancelled';
  });
  return CancellationScope.nonCancellable(async () => {
    const run = await validate(open, request);
    try {
      return await (run.change.isCertification ? certify(run) : change(run));
    } finally {
      run.isStoppable = false;
      run.state.status = 'finished';
      run.show();
      await condition(allHandlersFinished);
    }
  });
}

/** In the order of the runbook. */
const change = async (run: AccessRun): Promise<ManageAccessResult> => {
  const plan = await approvedPlan(run);
  if (plan.give.length + plan.remove.length === 0) return finish(run, 'unchanged');
  const taken = await take(run, plan).catch(async (error: unknown) => putBack(run, error));
  if (taken === 'put back') return finish(run, 'put-back');
  const review = run.change.isBreakGlass ? openReview(run, plan) : undefined;
  void announce(run, 'access.changed', describeChange(run.change));
  if (plan.endsAfterMs !== undefined) await endOfGrants(run, plan.endsAfterMs);
  if (review !== undefined) await awaitReview(run, review);
  const isTaken = run.state.targets.every(({ state }) => state === 'taken');
  return finish(run, isTaken ? 'changed' : 'partial');
};

/** Removals first: nobody has both roles of a separation, not even for a moment. */
const take = async (run: AccessRun, plan: AccessPlan): Promise<Taken | 'put back'> => {
  if (plan.remove.length > 0) {
    const removed = await writePhase(run, 'take away', 'remove');
    if (removed === 'aborted') return putBack(run);
  }
  if (plan.give.length === 0) return 'over';
  const given = await writePhase(run, 'give', 'give');
  return given === 'aborted' ? putBack(run) : given;
};

const putBack = async (run: AccessRun, error?: unknown): Promise<'put back'> => {
  if (error !== undefined) {
    const failure = codedErrorOf(error);
    run.failure = failure;
    const stage = run.state.stages.find(({ status }) => status === 'running');
    if (stage !== undefined) end(run, stage.name, { status: 'failed', note: failure.message });
  }
  const isBack = await takeBack(run, 'put back', 'put back');
  // Where nothing was written the change is refused, with the reason.
  if (!isBack && error !== undefined) throw codedFailure(codedErrorOf(error));
  return 'put back';
};

const validate = async (open: OpenAccessRun, request: unknown): Promise<AccessRun> => {
  begin(open, 'validate');
  const { input: parsed, timeoutProfile } = await parseInput('GOV-01', request);
  const input = parsed as ManageAccessInput;
  open.state.change = input.change;
  const ports = portsOf(timeoutProfile);
  const run: AccessRun = Object.assign(open, { input, request, change: changeOf(input), ports });
  const { reason } = input.requestedBy;
  const requester = await requesterOf(run);
  if (requester !== undefined) {
    run.evidence.identities.push(identityEvidence('start', requester, reason));
  }
  const asker = requester?.actor ?? `${input.requestedBy.actor}, who need not prove it`;
  end(run, 'validate', { note: `asked for by ${asker}: ${reason}` });
  return run;
};

/** A schedule has no key: what it starts changes nothing, and who certifies is verified. */
const requesterOf = async (run: AccessRun): Promise<VerifiedActor | undefined> => {
  if (run.change.isCertification && run.input.requestedBy.proof === undefined) return undefined;
  return verifyRequester(run).catch((error: unknown) => {
    throw codedFailure(codedErrorOf(error));
  });
};

/** The plan that holds now, approved where it has to be; one that changed meanwhile is asked about anew. */
const approvedPlan = async (run: AccessRun): Promise<AccessPlan> => {
  for (;;) {
    const plan = await planAccess(run);
    if (plan.approval === undefined || run.approvedDigest === plan.planDigest) {
      if (plan.approval === undefined) {
        end(run, 'approval', { status: 'skipped', note: 'none asked for' });
      }
      refuseStopped(run);
      return plan;
    }
    await approval(run, plan.planDigest, plan.approval);
  }
};

const approval = async (
  run: AccessRun,
  planDigest: string,
  wanted: NonNullable<AccessPlan['approval']>,
): Promise<void> => {
  begin(run, 'approval', 'approval');
  const open = openDecision(run, { name: wanted.why, planDigest, wanted });
  const decision = await awaitDecision(run, open);
  delete run.approval;
  if (decision?.approved === true) {
    run.approvedDigest = planDigest;
    run.approvals = open.given;
    end(run, 'approval', { note: decision.by });
    return;
  }
  const error = refusedBecause(
    run,
    decision?.by,
    `${whoDid(open.wanted, open.given)} approved plan ${planDigest} in time; nothing was changed.`,
  );
  end(run, 'approval', { status: 'failed', note: error.message });
  throw codedFailure(error);
};

/** Somebody gave it up before anything was written. */
const refuseStopped = ({ stopped }: AccessRun): void => {
  if (stopped === undefined) return;
  throw codedFailure({ code: 'ABORTED', message: `${stopped}. Nothing was changed.` });
};

const refusedBecause = (run: AccessRun, rejectedBy: string | undefined, expired: string) => {
  if (rejectedBy !== undefined) return { code: 'APPROVAL_REJECTED', message: rejectedBy } as const;
  return run.stopped === undefined
    ? ({ code: 'APPROVAL_EXPIRED', message: expired } as const)
    : ({ code: 'ABORTED', message: `${run.stopped}. Nothing was changed.` } as const);
};
