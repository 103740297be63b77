import { condition } from '@temporalio/workflow';
import type { Message } from '../../contracts/messages.ts';

export type OperatorVerb = 'retryStep' | 'retryCompensation' | 'skip' | 'abort';

export interface OperatorQuestion {
  /** What waits for the operator, for the progress and the notification. */
  what: string;
  verbs: readonly OperatorVerb[];
}

export interface OperatorAnswer {
  verb: OperatorVerb;
  actor: string;
  reason: string;
}

/** Where a run asks an operator and where the answer comes in. One question after the other. */
export interface OperatorDesk {
  /** The open question; undefined when nobody is asked. */
  question(): OperatorQuestion | undefined;
  ask(question: OperatorQuestion): Promise<OperatorAnswer>;
  /** Answers the open question; false if the verb does not answer it. */
  answer(verb: OperatorVerb, message: Message): boolean;
}

export const createOperatorDesk = (): OperatorDesk => {
  const desk: { question?: OperatorQuestion; answer?: OperatorAnswer } = {};
  return {
    question: () => desk.question,
    async ask(question) {
      if (desk.question !== undefined) await condition(() => desk.question === undefined);
      desk.question = question;
      try {
        await condition(() => desk.answer !== undefined);
        return desk.answer as unknown as OperatorAnswer;
      } finally {
        delete desk.question;
        delete desk.answer;
      }
    },
    answer(verb, { actor, reason }) {
      if (desk.question?.verbs.includes(verb) !== true || desk.answer !== undefined) return false;
      desk.answer = { verb, actor, reason };
      return true;
    },
  };
};
