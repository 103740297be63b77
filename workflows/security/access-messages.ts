import type { Message, MessageReceipt } from '../../contracts/messages.ts';
import { decisionRule } from '../runtime/approval-messages.ts';
import { acceptMessages } from '../runtime/messages.ts';
import type { MessageRule } from '../runtime/messages.ts';
import type { OperatorVerb } from '../runtime/operator-desk.ts';
import { accessUseCase, verifyActor } from './access-run.ts';
import type { OpenAccessRun } from './access-run.ts';

/** The messages of a change of access; registered before the first wait, so that none is lost. */
export const acceptAccessMessages = (run: OpenAccessRun): void =>
  acceptMessages(
    {
      approve: decisionRule(run, true, {
        description: 'Approves the plan with this digest, or finds what it was about in order.',
        taken: 'approved, the change goes on',
      }),
      reject: decisionRule(run, false, {
        description: 'Rejects the plan with this digest, or finds what it was about not in order.',
        taken: 'rejected',
      }),
      retryStep: operatorVerb(run, 'retryStep', 'Tries the targets again that have not taken it.'),
      skip: operatorVerb(run, 'skip', 'Leaves out the targets that have not taken it.'),
      abort: abort(run),
    },
    {
      useCase: accessUseCase,
      verify: (action, message) => verifyActor(run, action, message),
      record: (evidence) => {
        run.evidence.identities.push(evidence);
        run.note(`${evidence.action} by ${evidence.actor}: ${evidence.reason}`);
      },
    },
  );

const operatorVerb = (
  run: OpenAccessRun,
  verb: OperatorVerb,
  description: string,
): MessageRule<Message> => ({
  description,
  refusal: () =>
    run.desk.question()?.verbs.includes(verb) === true
      ? undefined
      : 'no operator is asked for that now',
  apply: (message) => receipt(run.desk.answer(verb, message), `${verb} accepted`),
});

const abort = (run: OpenAccessRun): MessageRule<Message> => ({
  description: 'Gives up the change, puts back what it wrote, or ends now what it gave for a time.',
  refusal: () =>
    run.desk.question()?.verbs.includes('abort') === true || run.isStoppable
      ? undefined
      : 'what is being written now is finished first, or it is over',
  apply: (message) => {
    if (run.desk.answer('abort', message)) return receipt(true, 'everything is put back');
    const changed = run.stopped === undefined;
    run.stopped ??= `${message.actor} ended it: ${message.reason}`;
    return receipt(changed, 'it ends now');
  },
});

const receipt = (changed: boolean, state: string): MessageReceipt => ({ changed, state });
