import { checkNames } from '../../../domain/delivery/check-verdict.ts';
import { lookCommand, messageCommand } from '../command-lines.ts';
import type { OfferedCommand, Telling } from './explanation.ts';
import { runningStage, type ReleaseFacts, type Stage, type ToldFacts } from './release-facts.ts';
import { countSentences, limitSentence, metricSentences, shareSentences } from './traffic-now.ts';
import { deadlineSentences, lengthOf, onFailureText, thenText } from './what-comes-next.ts';
import { clockText, lengthText, listText, untilText } from './wording.ts';

/** The new version is watched under traffic. */
export const tellWatching = (facts: ToldFacts): Telling => {
  const { progress } = facts;
  const stage = runningStage(facts);
  const gate = stage?.name ?? 'bake';
  const weight = progress.rollout?.weightPercent;
  const isShared = weight !== undefined && weight < 100;
  return {
    headline: `watches the new version ${isShared ? `at ${String(weight)} %` : 'under all traffic'}`,
    now: [...shareSentences(facts), ...retrySentences(facts)],
    why: [
      `Gate \`${gate}\` has to pass before it may go on.`,
      ...limitSentence(facts),
      ...countSentences(stage?.note ?? '', facts),
      ...metricSentences(facts),
    ],
    waitsFor: [`The end of the watch${endOfWatch(stage, facts)}.`],
    next: [
      `If the gate passes: ${thenText(facts)}.`,
      `If it fails, which may show before the end: ${onFailureText(facts)}.`,
      ...deadlineSentences(facts),
    ],
    commands: [...gateCommands(facts), ...brakes(facts)],
  };
};

const endOfWatch = (stage: Stage | undefined, { input, nowMs }: ReleaseFacts): string => {
  if (stage?.startedAtMs === undefined || input === null) return '';
  const forMs = lengthOf(stage.name, input);
  return forMs === undefined ? '' : `, ${untilText(stage.startedAtMs + forMs, nowMs)}`;
};

const gateCommands = ({ progress, name, input }: ToldFacts): OfferedCommand[] => {
  const { rollout } = progress;
  if (rollout === undefined) {
    return [{ command: messageCommand('skip', name), effect: 'leaves out this gate' }];
  }
  const promote = {
    command: messageCommand('promote', name),
    effect: 'ends the watch and goes on',
  };
  const full = {
    command: messageCommand('promoteFull', name),
    effect: 'gives it everything, unwatched',
  };
  const hasWeights =
    rollout.weightPercent < 100 &&
    (input?.strategy.type === 'canary' ||
      (input?.strategy.type === 'blue-green' && input.strategy.route !== undefined));
  const set = { command: messageCommand('setWeight', name), effect: 'goes to N % and stays there' };
  return rollout.weightPercent < 100 ? [promote, full, ...(hasWeights ? [set] : [])] : [promote];
};

/** The commands that stop or undo a release that moves. */
const brakes = ({ name }: ReleaseFacts): OfferedCommand[] => [
  { command: messageCommand('pause', name), effect: 'stops forward moves; watching goes on' },
  { command: messageCommand('abort', name), effect: 'puts everything back' },
];

/** Requests that must be answered as asked. */
export const tellChecking = (facts: ToldFacts): Telling => {
  const { name, input } = facts;
  const stage = runningStage(facts)?.name ?? 'smoke';
  const checks = (stage === 'verification' ? input?.verification : input?.smoke) ?? [];
  const names = checkNames(checks);
  const asked = checks.map((check, index) => {
    const wanted = 'expectStatus' in check ? ` → ${String(check.expectStatus)}` : '';
    return `${names[index] ?? ''}${wanted}`;
  });
  const where = stage === 'preview' ? 'before it has any traffic' : 'where users reach it';
  return {
    headline: `checks the new version ${where}`,
    now: [...shareSentences(facts), ...retrySentences(facts)],
    why: [
      `Gate \`${stage}\` asks ${asked.length === 0 ? 'its checks' : listText(asked, 4)}; a request is repeated until it is answered as asked.`,
    ],
    waitsFor: ['The answers; a check that is not answered in time fails the gate.'],
    next: [
      `If it passes: ${thenText(facts)}.`,
      `If it fails: ${onFailureText(facts)}.`,
      ...deadlineSentences(facts),
    ],
    commands: [
      { command: messageCommand('skip', name), effect: 'leaves out this gate' },
      ...brakes(facts),
    ],
  };
};

/** It does something that ends by itself. */
export const tellMoving = (facts: ToldFacts): Telling => {
  const stage = runningStage(facts);
  return {
    headline: stage === undefined ? 'is between two steps' : `is at \`${stage.name}\``,
    now: [
      ...(stage === undefined ? [] : stageSentences(stage, facts.nowMs)),
      ...shareSentences(facts),
      ...podSentences(facts),
      ...retrySentences(facts),
    ],
    waitsFor: stage === undefined ? [] : [meaningOf(stage.name)],
    next: [
      `Then: ${thenText(facts)}.`,
      `If the step fails: ${onFailureText(facts)}.`,
      ...deadlineSentences(facts),
    ],
    commands: brakes(facts),
  };
};

const stageSentences = ({ name, note, startedAtMs }: Stage, nowMs: number): string[] => {
  if (startedAtMs === undefined) return [];
  const since = `${clockText(startedAtMs, nowMs)}, ${lengthText(nowMs - startedAtMs)} ago`;
  return [`\`${name}\` began at ${since}${note === '' ? '' : `: ${note}`}.`];
};

const meanings: readonly { pattern: RegExp; waitsFor: string }[] = [
  { pattern: /^drain /, waitsFor: 'The last pod of the old version to be gone.' },
  { pattern: /^roll out /, waitsFor: 'The pods of the new version to be ready and stay ready.' },
  { pattern: /^shift to /, waitsFor: 'Enough ready pods, then a gateway that follows the weight.' },
  {
    pattern: /^return the traffic$/,
    waitsFor: 'The updated workload to be ready, then the gateway.',
  },
  {
    pattern: /^(create|patch|activate|stop|switch|return) /,
    waitsFor: 'The API server to take the write.',
  },
  { pattern: /^endpoints$/, waitsFor: 'The Services to route to pods of the new version only.' },
  { pattern: /^lock$/, waitsFor: 'The lock of the service.' },
  { pattern: /^pre-image$/, waitsFor: 'The pre-image of every object to be stored.' },
  { pattern: /^plan$/, waitsFor: 'The plan: every object is read and dry-run, forward and back.' },
  { pattern: /^prove$/, waitsFor: 'The proof that every object is as the plan says.' },
];

const meaningOf = (stage: string): string =>
  meanings.find(({ pattern }) => pattern.test(stage))?.waitsFor ?? 'The end of this step.';

const podSentences = ({ pods }: ReleaseFacts): string[] => {
  if (pods === null) return [];
  const { readyReplicas, wantedReplicas } = pods;
  if (wantedReplicas === 0) return [`Pods that are still there: ${String(pods.pods.length)}.`];
  const troubled = pods.pods.filter(({ ready, reason }) => !ready && reason !== '');
  const reasons = troubled.map(({ name, reason }) => `${name}: ${reason}`);
  return [
    `${String(readyReplicas)} of ${String(wantedReplicas)} pods are ready.`,
    ...(reasons.length === 0 ? [] : [`Not ready: ${listText(reasons, 3)}.`]),
  ];
};

/** Activities that fail behind the scenes. */
export const retrySentences = ({ retrying, nowMs }: ReleaseFacts): string[] =>
  retrying.map(({ activity, attempt, lastFailure, nextAttemptAtMs }) => {
    const when =
      nextAttemptAtMs === null || nextAttemptAtMs <= nowMs
        ? 'is tried again now'
        : `is tried again at ${untilText(nextAttemptAtMs, nowMs)}`;
    return `\`${activity}\` failed ${times(attempt - 1)} and ${when}: ${lastFailure}.`;
  });

const times = (count: number): string => (count === 1 ? 'once' : `${String(count)} times`);

/** The way back. */
export const tellUnwinding = (facts: ToldFacts): Telling => {
  const { progress, name, input } = facts;
  const { failure, failedStep, compensations } = progress;
  const undone = compensations.map(
    ({ step, outcome }) => `${step} (${outcome.replaceAll('-', ' ')})`,
  );
  const within = input === null ? 'their time' : lengthText(input.compensationDeadlineMs);
  return {
    headline: 'puts everything back',
    now: [
      ...(undone.length === 0 ? [] : [`Undone so far: ${listText(undone, 6)}.`]),
      ...retrySentences(facts),
    ],
    why: [
      failure === undefined
        ? 'It was stopped.'
        : `${failure.code}${failedStep === undefined ? '' : ` in \`${failedStep}\``}: ${failure.message}`,
    ],
    waitsFor: [
      `Every write to be undone, the last one first. Attempts to undo one step end after ${within}; then an operator is asked.`,
    ],
    next: [
      'Every object is compared with its pre-image, the proof is kept, and the lock is free. Nothing has to be done now.',
    ],
    commands: [{ command: `${lookCommand('get deploy', name)} --watch`, effect: 'follows it' }],
  };
};
