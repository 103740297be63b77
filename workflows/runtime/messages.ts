import { CancellationScope, defineUpdate, setHandler } from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type {
  Message,
  MessageReceipt,
  PlanDecision,
  UpdateName,
  WeightRequest,
} from '../../contracts/messages.ts';
import { updateNames } from '../../contracts/messages.ts';
import { codedFailure } from './failures.ts';
import { messageProblem } from './message-shape.ts';
import { tellRefusal } from './refusals.ts';

/** How a run treats one kind of message. */
export interface MessageRule<Payload extends Message> {
  /** For the Temporal UI: what the message does. */
  description: string;
  /** Why the message is not taken now; undefined if it is. A repeat is taken. */
  refusal(message: Payload): string | undefined;
  /** Does what was asked, once; a repeat answers `changed: false`. */
  apply(message: Payload): MessageReceipt;
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
}

export interface MessageDeps {
  verify(action: UpdateName, message: Message): Promise<VerifiedActor>;
  record(evidence: IdentityEvidence): void;
}

/** Registers the updates of a run; call it before the first wait, so that none is lost. */
export const acceptMessages = (rules: MessageRules, deps: MessageDeps): void => {
  const { approve, reject, setWeight, ...plain } = rules;
  if (setWeight !== undefined) accept('setWeight', setWeight, deps);
  if (approve !== undefined) accept('approve', approve, deps);
  if (reject !== undefined) accept('reject', reject, deps);
  for (const [name, rule] of Object.entries(plain)) accept(name as UpdateName, rule, deps);
};

const accept = <Payload extends Message>(
  name: UpdateName,
  rule: MessageRule<Payload>,
  deps: MessageDeps,
): void => {
  const refuse = (message: Payload, why: string): never => {
    tellRefusal(name, message, why);
    throw codedFailure({ code: 'MESSAGE_REFUSED', message: `\`${name}\` is refused: ${why}.` });
  };
  const check = (message: Payload): void => {
    const problem = messageProblem(message, name) ?? rule.refusal(message);
    if (problem !== undefined) refuse(message, problem);
  };
  const handle = async (message: Payload): Promise<MessageReceipt> => {
    const verified = await deps.verify(name, message);
    // The run may have moved on while the sender was checked.
    check(message);
    const receipt = rule.apply(message);
    if (receipt.changed) {
      const { actor, verification } = verified;
      deps.record({ action: name, actor, verification, reason: message.reason });
    }
    return receipt;
  };
  setHandler(
    defineUpdate<MessageReceipt, [Payload]>(updateNames[name]),
    // A cancelled run still takes messages: they resolve what its way back waits for.
    (message) => CancellationScope.nonCancellable(() => handle(message)),
    { description: rule.description, validator: check },
  );
};
