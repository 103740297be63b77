import { condition } from '@temporalio/workflow';
import type { ReleasePlan } from '../../activities/kubernetes/port.ts';
import type { PlanDecision } from '../../contracts/messages.ts';
import { describeWanted, isPlain } from '../../domain/security/approval.ts';
import type { OpenApproval } from '../../domain/security/approval.ts';
import { decisionRule, waitingText, whoDid } from '../runtime/approval-messages.ts';
import { codedFailure } from '../runtime/failures.ts';
import type { MessageRule } from '../runtime/messages.ts';
import { announce } from './announce.ts';
import type { OpenRun, ReleaseRun } from './release-run.ts';
import { begin, end } from './run-step.ts';

const approvalHold = 'approval';

/** Waits until the plan is approved, where the release asks for that. */
export const awaitApproval = async (
  run: ReleaseRun,
  { planDigest }: ReleasePlan,
): Promise<void> => {
  const [approval] = run.input.approvals;
  if (approval === undefined) {
    end(run, 'approval', { status: 'skipped', note: 'none asked for' });
    return;
  }
  const { name, expiresAfterMs, ...wanted } = approval;
  const deadlineAtMs = Date.now() + expiresAfterMs;
  begin(run, { stage: 'approval', found: 'approval' });
  const open: OpenApproval = { name, planDigest, wanted, given: [] };
  run.approval = open;
  run.state.status = 'waiting';
  run.state.waitingFor = {
    what: waitingText(open),
    verbs: ['approve', 'reject', 'abort'],
    deadlineAtMs,
    planDigest,
  };
  run.show();
  const asked = isPlain(wanted) ? name : `${name} (${describeWanted(wanted)})`;
  void announce(run, 'approval-wanted', `${asked} is asked to approve plan ${planDigest}`);
  // The release's clock stands still here; the expiry does not, also not in a pause.
  run.control.hold(approvalHold);
  try {
    const summary = `approval ${name} expires`;
    await condition(() => open.decision !== undefined, expiresAfterMs, { summary });
  } finally {
    run.control.lift(approvalHold);
    delete run.approval;
    delete run.state.waitingFor;
    run.state.status = run.control.isPaused() ? 'paused' : 'running';
  }
  decide(run, open);
};

const decide = (run: ReleaseRun, { planDigest, wanted, given, decision }: OpenApproval): void => {
  if (decision?.approved === true) {
    run.approvedDigest = planDigest;
    run.approvals = given;
    end(run, 'approval', { status: 'done', note: decision.by });
    return;
  }
  const error =
    decision === undefined
      ? ({
          code: 'APPROVAL_EXPIRED',
          message: `${whoDid(wanted, given)} approved plan ${planDigest} in time; nothing was changed.`,
        } as const)
      : ({ code: 'APPROVAL_REJECTED', message: decision.by } as const);
  end(run, 'approval', { status: 'failed', note: error.message });
  run.state.failedStep = 'approval';
  throw codedFailure(error);
};

/** The messages that decide about a plan. */
export const decision = (run: OpenRun, approved: boolean): MessageRule<PlanDecision> =>
  decisionRule(
    run,
    approved,
    approved
      ? {
          description: 'Approves the plan with this digest; the release goes on.',
          taken: 'approved, the release goes on',
        }
      : {
          description: 'Rejects the plan with this digest; nothing is changed.',
          taken: 'rejected, nothing changes',
        },
  );
