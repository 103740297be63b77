import { describeWanted, isPlain } from '../../../domain/security/approval.ts';
import { lockCommand, lookCommand, messageCommand } from '../command-lines.ts';
import type { OfferedCommand, Telling } from './explanation.ts';
import { pausedBy, type ReleaseFacts, type ToldFacts } from './release-facts.ts';
import { shareSentences } from './traffic-now.ts';
import { thenText } from './what-comes-next.ts';
import { listText, saidText, sentence, untilText } from './wording.ts';

/** Someone else has the lock of the service. */
export const tellQueued = (facts: ToldFacts): Telling => {
  const { lock, name } = facts;
  const place = (lock?.queue ?? []).findIndex(({ release }) => release === name.release);
  const places = place < 0 ? '' : `, place ${String(place + 1)} of ${String(lock?.queue.length)}`;
  return {
    headline: `waits for the lock of ${name.service}${places}`,
    why: [...holderSentences(facts), ...aheadSentences(facts, place)],
    waitsFor: [
      'The lock. Nothing ends this wait by time, and the clock of the release stands still.',
    ],
    next: [
      `With the lock it plans against what is live then and goes on with ${thenText(facts)}.`,
      ...pausedSentences(facts),
    ],
    commands: [
      ...holderCommands(facts),
      {
        command: messageCommand('abort', name),
        effect: 'leaves the queue; this release has touched nothing',
      },
    ],
  };
};

const holderSentences = ({ lock, holderStage }: ReleaseFacts): string[] => {
  if (lock === null) return ['Who has the lock is not known: no worker answers for the service.'];
  const { holder, needsOperator, status } = lock;
  if (needsOperator !== undefined) {
    return [`The lock stays closed until an operator decides: ${needsOperator.why}`].map(sentence);
  }
  if (holder === undefined) return [`The lock is ${status} and is given out now.`];
  if (status === 'restoring') return [`What release ${holder.release} had changed is put back.`];
  const at = holderStage === null ? '' : `; it is at \`${holderStage}\``;
  return [
    `Release ${holder.release} has the lock${at}.`,
    ...(holder.isRetaining === true
      ? ['It only keeps the old version ready, and ends that because this release waits.']
      : []),
  ];
};

const aheadSentences = ({ lock }: ReleaseFacts, place: number): string[] => {
  const ahead = (lock?.queue ?? []).slice(0, Math.max(0, place));
  const names = ahead.map(({ release, queue }) =>
    queue === 'hotfix' ? `${release} (a hotfix)` : release,
  );
  return names.length === 0 ? [] : [`Before this release comes ${listText(names, 3)}.`];
};

const holderCommands = ({ lock, name }: ReleaseFacts): OfferedCommand[] => {
  if (lock?.needsOperator !== undefined) {
    return lock.needsOperator.verbs.map((verb) => ({
      command: lockCommand(verb, name),
      effect: lockEffects[verb],
    }));
  }
  const { holder } = lock ?? {};
  if (holder === undefined) return [];
  const other = { ...name, release: holder.release };
  return [
    { command: lookCommand('deploy explain', other), effect: 'says what that one waits for' },
    {
      command: messageCommand('abort', other),
      effect: 'puts that one back; then the lock is free',
    },
  ];
};

/** What each decision about a lock does whose holder died. */
export const lockEffects = {
  restore: 'puts back what the dead release had changed',
  adopt: 'keeps what is live as the good release',
  release: 'frees the lock and leaves every object as it is',
} as const;

export const tellApproval = (facts: ToldFacts): Telling => {
  const { progress, name, nowMs, plan } = facts;
  const { waitingFor } = progress;
  const approval = approvalText(facts);
  const bound = ` --plan ${waitingFor?.planDigest ?? ''}`;
  const decide = (verb: string): string =>
    messageCommand(verb, name).replace(' --reason', `${bound} --reason`);
  const deadline = waitingFor?.deadlineAtMs;
  return {
    headline: 'waits for the approval of its plan',
    why: [
      `The release asks ${approval} before anything is written.`,
      ...countSentences(facts),
      ...planSentences(plan),
    ],
    waitsFor: [
      `The decision of ${approval}${deadline === undefined ? '' : `, until ${untilText(deadline, nowMs)}`}.`,
    ],
    next: [
      `Approved, it goes on with ${thenText(facts)}.`,
      'Unanswered until then, it ends with APPROVAL_EXPIRED; nothing was changed and nothing has to be undone.',
      ...pausedSentences(facts),
    ],
    commands: [
      { command: decide('approve'), effect: 'approves exactly this plan' },
      { command: decide('reject'), effect: 'ends the release; nothing is changed' },
    ],
  };
};

const approvalText = ({ input }: ToldFacts): string => {
  const [approval] = input?.approvals ?? [];
  if (approval === undefined) return 'an approver';
  return isPlain(approval) ? approval.name : `${approval.name} (${describeWanted(approval)})`;
};

/** How many of several people have approved. */
const countSentences = ({ input, progress }: ToldFacts): string[] => {
  const [approval] = input?.approvals ?? [];
  const what = progress.waitingFor?.what;
  return approval === undefined || isPlain(approval) || what === undefined ? [] : [sentence(what)];
};

const planSentences = (plan: ReleaseFacts['plan']): string[] => {
  if (plan === null) return [];
  const steps = plan.changes.filter(({ action }) => action !== 'keep').map(({ step }) => step);
  const images = plan.images.map(({ container, image }) => `${container} runs ${image}`);
  return [
    steps.length === 0 ? 'The plan changes no object.' : `The plan: ${listText(steps, 6)}.`,
    ...(images.length === 0 ? [] : [`Container ${listText(images, 4)}.`]),
    ...plan.warnings.map(sentence),
  ];
};

/** For a situation that a pause does not change, but what comes after it. */
export const pausedSentences = (facts: ReleaseFacts): string[] => {
  const by = pausedBy(facts);
  if (by === undefined) return [];
  return [`It is paused too (${by.actor}: “${by.reason}”), so after that it waits for \`resume\`.`];
};

export const tellPaused = (facts: ToldFacts): Telling => {
  const { progress, name } = facts;
  const by = pausedBy(facts);
  const running = progress.stages.filter(({ status }) => status === 'running');
  return {
    headline: by === undefined ? 'is paused' : `is paused by ${by.actor}`,
    now: [
      ...shareSentences(facts),
      ...running.map(
        ({ name: stage, note }) =>
          `\`${stage}\` had begun and goes on${note === '' ? '' : ` (${note})`}.`,
      ),
    ],
    why: by === undefined ? [] : [saidText(by, 'paused it')],
    waitsFor: [
      '`resume`. The clock of the release stands still; nothing ends the pause by itself.',
    ],
    next: [
      'Nothing moves forward. Watching and putting back go on.',
      `Resumed, it goes on with ${thenText(facts)}.`,
    ],
    commands: [
      { command: messageCommand('resume', name), effect: 'lets it go on' },
      { command: messageCommand('abort', name), effect: 'puts everything back' },
    ],
  };
};

/** A gate that is neither passed nor failed. */
export const tellUndecided = (facts: ToldFacts): Telling => {
  const { name, nowMs, progress } = facts;
  const deadline = progress.waitingFor?.deadlineAtMs;
  const gate = progress.gates.findLast(({ verdict }) => verdict === 'inconclusive');
  const metrics = gate?.decidedBy ?? [];
  return {
    headline: `waits for a decision${gate === undefined ? '' : `: \`${gate.name}\` is inconclusive`}`,
    now: shareSentences(facts),
    why: [
      gate === undefined ? sentence(progress.waitingFor?.what ?? '') : sentence(gate.note),
      ...(metrics.length === 0 ? [] : [`Undecided by ${listText(metrics, 5)}.`]),
      'Neither a success nor a failure is proven, so someone has to say what it is.',
    ],
    waitsFor: [
      `A decision${deadline === undefined ? '' : `, until ${untilText(deadline, nowMs)}`}.`,
    ],
    next: [
      'If nobody decides until then, it counts as failed and everything is put back.',
      ...pausedSentences(facts),
    ],
    commands: [
      { command: messageCommand('retryStep', name), effect: 'measures the gate once more' },
      { command: messageCommand('skip', name), effect: `takes it as good: ${thenText(facts)}` },
      { command: messageCommand('abort', name), effect: 'puts everything back' },
    ],
  };
};
