import { lockCommand, messageCommand } from '../command-lines.ts';
import type { OfferedCommand, Telling } from './explanation.ts';
import type { ReleaseFacts, ToldFacts } from './release-facts.ts';
import { retrySentences } from './tell-moving.ts';
import { lockEffects } from './tell-waiting.ts';
import { shareSentences } from './traffic-now.ts';
import { sentence } from './wording.ts';

type Question = 'step' | 'undo' | 'clean-up';

const effects: Record<Question, Record<string, string>> = {
  step: {
    retryStep: 'tries the step again',
    skip: 'goes on without the step',
    abort: 'puts everything back',
  },
  undo: {
    retryCompensation: 'tries again, after the cause is removed',
    skip: 'leaves that object as it is; the result will be restored-with-exceptions',
    abort: 'gives up on all that is left; the proof lists it',
  },
  'clean-up': {
    retryCompensation: 'tries again, after the cause is removed',
    skip: 'leaves the object; the release counts as deployed',
    abort: 'leaves the object; the release counts as deployed',
  },
};

const meanings: Record<Question, string> = {
  step: 'The new version is kept as it is, because the release asked to be held when a step fails.',
  undo: 'Something could not be undone in its time. Steps before it wait, because undoing them could take away what still serves.',
  'clean-up':
    'Everything is new and proven; only something that the rollout left could not be deleted.',
};

const questionOf = ({ progress }: ToldFacts): Question => {
  if (progress.waitingFor?.verbs.includes('retryStep') === true) return 'step';
  return progress.failure === undefined ? 'clean-up' : 'undo';
};

export const tellNeedsOperator = (facts: ToldFacts): Telling => {
  const { progress, name } = facts;
  const { waitingFor, failure } = progress;
  const question = questionOf(facts);
  const asked = (waitingFor?.what ?? 'an operator').replace(/^an operator: /, '');
  return {
    headline: 'needs an operator',
    now: shareSentences(facts),
    why: [
      sentence(asked),
      meanings[question],
      ...(failure === undefined || question !== 'undo'
        ? []
        : [`It was being put back because of ${failure.code}: ${failure.message}`].map(sentence)),
    ],
    waitsFor: ['One of the commands below. There is no deadline, and the lock stays taken.'],
    next: ['Nothing happens by itself.', ...retrySentences(facts)],
    commands: (waitingFor?.verbs ?? []).map((verb) => ({
      command: messageCommand(verb, name),
      effect: effects[question][verb] ?? 'answers',
    })),
  };
};

/** No worker carries the run out, or none answers in time. */
export const tellSilent = (facts: ReleaseFacts): Telling => ({
  headline: 'gets no answer from a worker',
  now: [
    'The run is safe on the server: nothing is lost and nothing is repeated.',
    ...(facts.lastStage === null ? [] : [`The last stage it told of is \`${facts.lastStage}\`.`]),
    ...retrySentences(facts),
  ],
  why: facts.silence === null ? [] : [sentence(facts.silence)],
  waitsFor: ['A worker that polls its task queues.'],
  next: [
    'As soon as one polls, it goes on where it was. Deadlines that pass meanwhile are acted on then.',
  ],
  commands: [
    { command: 'holdfast worker', effect: 'starts a worker; `npm start` starts everything' },
    { command: 'holdfast sandbox doctor', effect: 'lists runs that no worker polls for' },
  ],
});

/** The server's own pause, which also stops the way back. */
export const tellPausedByServer = ({ workflowId, lastStage }: ReleaseFacts): Telling => ({
  headline: 'is paused by the Temporal server itself',
  now: lastStage === null ? [] : [`The last stage it told of is \`${lastStage}\`.`],
  why: [
    'Someone used the emergency brake of the server. It takes no message, answers no question and puts nothing back.',
  ],
  waitsFor: ['Someone who lifts that pause. Timers that fire meanwhile are acted on then.'],
  next: ['Nothing happens by itself.'],
  commands: [
    {
      command: `temporal workflow unpause --workflow-id ${workflowId} --reason "…"`,
      effect: 'lets it go on; then `holdfast pause` or `abort` work again',
    },
  ],
});

/** Terminated, timed out or cancelled in a way that ran no way back. */
export const tellEndedFromOutside = (facts: ReleaseFacts): Telling => {
  const { executionStatus, lock, lastStage, name } = facts;
  const how = executionStatus.toLowerCase().replaceAll('_', ' ');
  const decides = lock?.needsOperator;
  return {
    headline: `was ended from outside: ${how}`,
    now: lastStage === null ? [] : [`The last stage it told of is \`${lastStage}\`.`],
    why: [
      'The run ended without its way back: nothing was undone, and its objects are as the last step left them.',
      ...(decides === undefined ? [] : [sentence(decides.why)]),
    ],
    waitsFor:
      decides === undefined ? [] : ['An operator who decides about the lock, which stays closed.'],
    next: [
      decides === undefined
        ? lockSentence(facts)
        : 'Nothing happens by itself; releases of the service wait.',
    ],
    commands: lockCommands(facts, name),
  };
};

const lockSentence = ({ lock }: ReleaseFacts): string =>
  lock === null || lock.status === 'free'
    ? 'The lock is not held by it any more.'
    : 'The service notices the death of its lock holder within minutes, and then asks an operator.';

const lockCommands = ({ lock }: ReleaseFacts, name: ReleaseFacts['name']): OfferedCommand[] =>
  (lock?.needsOperator?.verbs ?? []).map((verb) => ({
    command: lockCommand(verb, name),
    effect: lockEffects[verb],
  }));
