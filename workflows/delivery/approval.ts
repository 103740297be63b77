import { condition } from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type { ReleasePlan } from '../../activities/kubernetes/port.ts';
import type { MessageReceipt, PlanDecision } from '../../contracts/messages.ts';
import {
  approverProblem,
  describeWanted,
  isApproved,
  isPlain,
  quorumOf,
} from '../../domain/security/approval.ts';
import type {
  GivenApproval,
  OpenApproval,
  TakenApproval,
  WantedApproval,
} from '../../domain/security/approval.ts';
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

const waitingText = ({ name, planDigest, wanted, given }: OpenApproval): string => {
  const plain = `approval ${name} of plan ${planDigest}`;
  if (isPlain(wanted)) return plain;
  return `${plain} by ${describeWanted(wanted)}, ${given.length} of ${quorumOf(wanted)} given`;
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

const whoDid = (wanted: WantedApproval, given: readonly GivenApproval[]): string =>
  given.length === 0
    ? 'Nobody'
    : `Only ${given.map(({ actor }) => actor).join(', ')} of ${describeWanted(wanted)}`;

/** The messages that decide about a plan. */
export const decision = (run: OpenRun, approved: boolean): MessageRule<PlanDecision> => ({
  description: approved
    ? 'Approves the plan with this digest; the release goes on.'
    : 'Rejects the plan with this digest; nothing is changed.',
  refusal: ({ planDigest }, sender) => {
    if (approved && run.approvedDigest === planDigest) return undefined;
    const open = run.approval;
    if (open === undefined) return 'no approval is wanted now';
    if (open.planDigest !== planDigest) {
      return `the plan is ${open.planDigest}, the decision is about ${planDigest}`;
    }
    return approved && sender !== undefined
      ? approverProblem(open.wanted, givenBy(sender))
      : undefined;
  },
  apply: (message, sender) => {
    const open = run.approval;
    const { planDigest, actor, reason } = message;
    if (open === undefined || open.decision !== undefined) {
      return receipt(false, `plan ${planDigest} was decided before`);
    }
    if (approved) return takeApproval(run, open, { message, ...givenBy(sender) });
    open.decision = { approved, by: `${actor} rejected plan ${planDigest}: ${reason}` };
    return receipt(true, 'rejected, nothing changes');
  },
});

const givenBy = ({ actor, groups }: VerifiedActor): GivenApproval => ({
  actor,
  groups: groups ?? [],
});

/** The same person counts once, however often they approve. */
const takeApproval = (
  run: OpenRun,
  open: OpenApproval,
  approval: Omit<TakenApproval, 'takenAtMs'>,
): MessageReceipt => {
  const { given, wanted } = open;
  const isRepeated = given.some(({ actor }) => actor === approval.actor);
  if (!isRepeated) given.push({ ...approval, takenAtMs: Date.now() });
  if (isApproved(wanted, given)) {
    const by = given.map(({ actor, message }) => `${actor}: ${message.reason}`).join('; ');
    open.decision = { approved: true, by };
    return receipt(true, 'approved, the release goes on');
  }
  if (run.state.waitingFor !== undefined) run.state.waitingFor.what = waitingText(open);
  run.show();
  const before = isRepeated ? `${approval.actor} approved it before; ` : '';
  return receipt(!isRepeated, `${before}${given.length} of ${quorumOf(wanted)} approvals given`);
};

const receipt = (changed: boolean, state: string): MessageReceipt => ({ changed, state });
