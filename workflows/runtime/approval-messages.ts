import type { VerifiedActor } from '../../activities/identity/port.ts';
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
import type { MessageRule } from './messages.ts';

/** A run that asks for approvals, one at a time. */
export interface ApprovalHolder {
  /** Set while one is waited for. */
  approval?: OpenApproval;
  /** Digest of the plan that was approved, so that a repeated approval is recognised. */
  approvedDigest?: string;
  readonly state: { waitingFor?: { what: string } | undefined };
  show(): void;
}

/** What a decision comes to, in the words of the use case. */
export interface DecisionWords {
  /** For the Temporal UI. */
  description: string;
  /** What the run does then: `approved, the release goes on`. */
  taken: string;
}

/** The messages that decide about a plan. */
export const decisionRule = (
  run: ApprovalHolder,
  approved: boolean,
  words: DecisionWords,
): MessageRule<PlanDecision> => ({
  description: words.description,
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
    if (approved) return takeApproval(run, { message, ...givenBy(sender) }, { open, words });
    open.decision = { approved, by: `${actor} rejected plan ${planDigest}: ${reason}` };
    return receipt(true, words.taken);
  },
});

const givenBy = ({ actor, groups }: VerifiedActor): GivenApproval => ({
  actor,
  groups: groups ?? [],
});

/** The same person counts once, however often they approve. */
const takeApproval = (
  run: ApprovalHolder,
  approval: Omit<TakenApproval, 'takenAtMs'>,
  { open, words }: { open: OpenApproval; words: DecisionWords },
): MessageReceipt => {
  const { given, wanted } = open;
  const isRepeated = given.some(({ actor }) => actor === approval.actor);
  if (!isRepeated) given.push({ ...approval, takenAtMs: Date.now() });
  if (isApproved(wanted, given)) {
    const by = given.map(({ actor, message }) => `${actor}: ${message.reason}`).join('; ');
    open.decision = { approved: true, by };
    return receipt(true, words.taken);
  }
  if (run.state.waitingFor !== undefined) run.state.waitingFor.what = waitingText(open);
  run.show();
  const before = isRepeated ? `${approval.actor} approved it before; ` : '';
  return receipt(!isRepeated, `${before}${given.length} of ${quorumOf(wanted)} approvals given`);
};

/** What a run that asks for it waits for. */
export const waitingText = ({ name, planDigest, wanted, given }: OpenApproval): string => {
  const plain = `approval ${name} of plan ${planDigest}`;
  if (isPlain(wanted)) return plain;
  return `${plain} by ${describeWanted(wanted)}, ${given.length} of ${quorumOf(wanted)} given`;
};

/** Who approved in time, where that was not enough: `Nobody`. */
export const whoDid = (wanted: WantedApproval, given: readonly GivenApproval[]): string =>
  given.length === 0
    ? 'Nobody'
    : `Only ${given.map(({ actor }) => actor).join(', ')} of ${describeWanted(wanted)}`;

const receipt = (changed: boolean, state: string): MessageReceipt => ({ changed, state });
