import { CancellationScope, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type {
  Message,
  MessageReceipt,
  PlanDecision,
  UpdateName,
  WeightRequest,
} from '../../contracts/messages.ts';
import { updateNames } from '../../contracts/messages.ts';
import type { CommandPlace } from '../../domain/security/signed-command.ts';
import { createCommandDesk } from './command-desk.ts';
import type { CommandDesk } from './command-desk.ts';
import { codedErrorOf, codedFailure } from './failures.ts';
import { messageProblem } from './message-shape.ts';
import { tellRefusal } from './refusals.ts';

/** How a run treats one kind of message. */
export interface MessageRule<Payload extends Message> {
  /** For the Temporal UI: what the message does. */
  description: string;
  /**
   * Why the message is not taken now; undefined if it is. A repeat is taken. Asked twice: when the
   * message comes, and once more when it is known who sent it.
   */
  refusal(message: Payload, sender?: VerifiedActor): string | undefined;
  /** Does what was asked, once; a repeat answers `changed: false`. */
  apply(message: Payload, sender: VerifiedActor): MessageReceipt;
}

export type MessageRules = {
  [Name in UpdateName]?: MessageRule<PayloadOf<Name>>;
};

type PayloadOf<Name extends UpdateName> = Name extends 'approve' | 'reject'
  ? PlanDecision
  : Name extends 'setWeight'
    ? WeightRequest
    : Message;

/** Who sent a message that changed something, as the evidence keeps it. */
export interface IdentityEvidence {
  action: string;
  actor: string;
  verification: string;
  reason: string;
  /** Policies that allowed it, where any were asked. */
  decidedBy?: string[];
}

export interface MessageDeps {
  /** The use case whose verbs the messages are, in proofs and policies. */
  useCase: string;
  verify(action: UpdateName, message: Message): Promise<VerifiedActor>;
  record(evidence: IdentityEvidence): void;
}

/** Registers the updates of a run; call it before the first wait, so that none is lost. */
export const acceptMessages = (rules: MessageRules, deps: MessageDeps): void => {
  const { approve, reject, setWeight, ...plain } = rules;
  const parts = { ...deps, desk: createCommandDesk({}) };
  if (setWeight !== undefined) accept('setWeight', setWeight, parts);
  if (approve !== undefined) accept('approve', approve, parts);
  if (reject !== undefined) accept('reject', reject, parts);
  for (const [name, rule] of Object.entries(plain)) accept(name as UpdateName, rule, parts);
};

/** Evidence of a sender; without policies it has the shape that it always had. */
export const identityEvidence = (
  action: string,
  { actor, verification, decidedBy }: VerifiedActor,
  reason: string,
): IdentityEvidence => ({
  ...{ action, actor, verification, reason },
  ...(decidedBy === undefined ? {} : { decidedBy }),
});

const accept = <Payload extends Message>(
  name: UpdateName,
  rule: MessageRule<Payload>,
  deps: MessageDeps & { desk: CommandDesk },
): void => {
  const { desk } = deps;
  const action = `${deps.useCase}.${name}`;
  const refuse = (message: Payload, why: string): never => {
    tellRefusal(action, message, why);
    throw codedFailure({ code: 'MESSAGE_REFUSED', message: `\`${name}\` is refused: ${why}.` });
  };
  const check = (message: Payload): void => {
    const problem =
      messageProblem(message, name) ??
      desk.problem(message, placeOf(action, message)) ??
      rule.refusal(message);
    if (problem !== undefined) refuse(message, problem);
  };
  const senderOf = async (message: Payload): Promise<VerifiedActor> => {
    try {
      return await deps.verify(name, message);
    } catch (error) {
      desk.refused(Date.now());
      // The sender gets the code itself, not a failed activity around it.
      throw codedFailure(codedErrorOf(error));
    }
  };
  const handle = async (message: Payload): Promise<MessageReceipt> => {
    const verified = await senderOf(message);
    // The run may have moved on while the sender was checked.
    const problem = desk.problemSince(message, Date.now()) ?? rule.refusal(message, verified);
    if (problem !== undefined) refuse(message, problem);
    desk.use(message, Date.now());
    const receipt = rule.apply(message, verified);
    if (receipt.changed) deps.record(identityEvidence(name, verified, message.reason));
    return receipt;
  };
  setHandler(
    defineUpdate<MessageReceipt, [Payload]>(updateNames[name]),
    // A cancelled run still takes messages: they resolve what its way back waits for.
    (message) => CancellationScope.nonCancellable(() => handle(message)),
    { description: rule.description, validator: check },
  );
};

const placeOf = (action: string, message: Message): CommandPlace => {
  const { workflowId, runId } = workflowInfo();
  const planDigest = 'planDigest' in message ? String(message.planDigest) : undefined;
  return {
    ...{ workflowId, runId, action, atMs: Date.now() },
    ...(planDigest === undefined ? {} : { planDigest }),
  };
};
