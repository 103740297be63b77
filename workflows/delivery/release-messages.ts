import { defineSignal, setHandler } from '@temporalio/workflow';
import type { LockGrant, LockRefusal, LockWanted } from '../../contracts/delivery/service-lock.ts';
import type { Message, MessageReceipt } from '../../contracts/messages.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import { acceptMessages } from '../runtime/messages.ts';
import type { MessageRule, MessageRules } from '../runtime/messages.ts';
import type { OperatorVerb } from '../runtime/operator-desk.ts';
import { decision } from './approval.ts';
import type { OpenRun } from './release-run.ts';
import { releaseUseCase, requestIdOfRun, verifyActor } from './release-run.ts';
import { rolloutRules } from './rollout-messages.ts';

/** The messages of a release; registered before the first wait, so that none is lost. */
export const acceptReleaseMessages = (run: OpenRun): void => {
  const rules: MessageRules = {
    approve: decision(run, true),
    reject: decision(run, false),
    pause: pause(run),
    resume: resume(run),
    skip: skip(run),
    abort: abort(run),
    retryStep: operatorVerb(run, 'retryStep', 'Tries the failed step again.'),
    retryCompensation: retryCompensation(run),
    ...rolloutRules(run),
  };
  acceptMessages(rules, {
    useCase: releaseUseCase,
    verify: (action, message) => verifyActor(run, action, message),
    record: (evidence) => {
      run.evidence.identities.push(evidence);
      run.note(`${evidence.action} by ${evidence.actor}: ${evidence.reason}`);
    },
  });
};

/** Messages that a restore takes: there is nothing to approve or to pause on the way back. */
export const acceptRestoreMessages = (run: OpenRun): void => {
  const rules: MessageRules = {
    retryCompensation: retryCompensation(run),
    skip: operatorVerb(run, 'skip', 'Leaves what could not be undone as it is.'),
    abort: operatorVerb(run, 'abort', 'Leaves everything that is not undone as it is.'),
  };
  acceptMessages(rules, {
    useCase: releaseUseCase,
    verify: (action, message) => verifyActor(run, action, message),
    record: (evidence) => run.evidence.identities.push(evidence),
  });
};

/** The lock answers by signal, so that no activity waits in the queue. */
export const hearLock = (run: OpenRun): void => {
  setHandler(
    defineSignal<[LockGrant]>(lockMessageNames.granted),
    (grant) => {
      if (grant.requestId === requestIdOfRun()) run.lock.grant = grant;
    },
    { description: 'From the service entity: the lock is yours.' },
  );
  setHandler(
    defineSignal<[LockRefusal]>(lockMessageNames.refused),
    (refusal) => {
      // The first counts: a superseded claim may also have been about to fail.
      if (refusal.requestId === requestIdOfRun()) run.lock.refusal ??= refusal;
    },
    { description: 'From the service entity: the lock cannot be had.' },
  );
  setHandler(
    defineSignal<[LockWanted]>(lockMessageNames.wanted),
    ({ requestId, release }) => {
      if (requestId === requestIdOfRun()) run.lock.wantedBy = release;
    },
    { description: 'From the service entity: another release waits, retention ends.' },
  );
};

const receipt = (changed: boolean, state: string): MessageReceipt => ({ changed, state });

/** Toggling for ever must not fill the history; nobody needs so many pauses. */
const mostDecisions = 40;

const isForward = (run: OpenRun): boolean =>
  (run.state.status === 'running' ||
    run.state.status === 'paused' ||
    run.state.status === 'waiting') &&
  run.control.stopped() === undefined;

const pause = (run: OpenRun): MessageRule<Message> => ({
  description: 'Stops forward moves and their clocks; watching and the way back go on.',
  refusal: () => {
    if (!isForward(run)) return `the release is ${run.state.status}`;
    return run.evidence.identities.length < mostDecisions ? undefined : 'it was paused too often';
  },
  apply: () => {
    const changed = !run.control.isPaused();
    run.control.pause();
    if (run.state.status === 'running') run.state.status = 'paused';
    run.show();
    return receipt(changed, 'paused; approval deadlines still run');
  },
});

const resume = (run: OpenRun): MessageRule<Message> => ({
  description: 'Goes on after a pause.',
  refusal: () => (isForward(run) ? undefined : `the release is ${run.state.status}`),
  apply: () => {
    const changed = run.control.isPaused();
    run.control.resume();
    if (run.state.status === 'paused') run.state.status = 'running';
    run.show();
    return receipt(changed, 'moving');
  },
});

const skip = (run: OpenRun): MessageRule<Message> => ({
  description: 'Skips the gate that is being measured, or what an operator is asked about.',
  refusal: () =>
    run.gate !== undefined || asksFor(run, 'skip')
      ? undefined
      : 'no gate is being measured and no operator is asked',
  apply: (message) => {
    if (run.desk.answer('skip', message)) return receipt(true, 'skipped');
    const { gate } = run;
    if (gate === undefined || gate.skippedBy !== undefined) return receipt(false, 'skipped before');
    gate.skippedBy = `${message.actor} skipped it: ${message.reason}`;
    gate.scope.cancel();
    return receipt(true, 'the gate is skipped');
  },
});

const abort = (run: OpenRun): MessageRule<Message> => ({
  description: 'Puts everything back; while an operator is asked, leaves the rest as it is.',
  refusal: () =>
    run.state.status === 'finished' ? 'the release is finished or proven already' : undefined,
  apply: (asked) => {
    const { actor, reason } = asked;
    if (run.desk.answer('abort', asked)) return receipt(true, 'aborted');
    if (run.control.stopped() !== undefined || !isForward(run)) {
      return receipt(false, `the release is ${run.state.status}`);
    }
    const message = `${actor} aborted the release: ${reason}`;
    return run.control.stop({ code: 'ABORTED', message })
      ? receipt(true, 'aborting; what was written is put back')
      : receipt(false, 'everything is new and proven already');
  },
});

const retryCompensation = (run: OpenRun): MessageRule<Message> =>
  operatorVerb(run, 'retryCompensation', 'Tries again what could not be undone.');

const asksFor = (run: OpenRun, verb: OperatorVerb): boolean =>
  run.desk.question()?.verbs.includes(verb) === true;

const operatorVerb = (
  run: OpenRun,
  verb: OperatorVerb,
  description: string,
): MessageRule<Message> => ({
  description,
  refusal: () => (asksFor(run, verb) ? undefined : 'no operator is asked for that now'),
  apply: (message) => receipt(run.desk.answer(verb, message), `${verb} accepted`),
});
