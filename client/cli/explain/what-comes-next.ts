import type { ReleaseFacts, Stage, ToldFacts } from './release-facts.ts';
import { lengthText, listText } from './wording.ts';

const mostSteps = 5;

/** The steps that are still to come, in order, as far as they are known. */
export const stepsToCome = (facts: ToldFacts): string[] => {
  const { stages, rollout } = facts.progress;
  const running = stages.findLastIndex(({ status }) => status === 'running');
  return stages
    .slice(running + 1)
    .filter((stage) => stage.status === 'pending' && !isLeftOut(stage, facts))
    .filter(({ name }) => !isBehind(name, rollout?.weightPercent))
    .map(({ name }) => withLength(name, facts));
};

/** `shift to 50 %, watch at 50 % (10m) and 3 more` */
export const thenText = (facts: ToldFacts): string => {
  const steps = stepsToCome(facts);
  return steps.length === 0 ? 'the end of the release' : listText(steps, mostSteps);
};

/** A stage that the release has, but did not ask for. */
const isLeftOut = ({ name }: Stage, { input }: ReleaseFacts): boolean => {
  if (input === null) return false;
  if (name === 'approval') return input.approvals.length === 0;
  if (name === 'smoke' || name === 'preview') return input.smoke.length === 0;
  return name === 'bake' && input.bake === undefined;
};

/** A weight that the new version has already, because an operator set a higher one. */
const isBehind = (name: string, weightPercent = -1): boolean => {
  const weight = /^shift to (\d+) %$/.exec(name)?.[1];
  return weight !== undefined && Number(weight) <= weightPercent;
};

const withLength = (name: string, { input }: ReleaseFacts): string => {
  const forMs = input === null ? undefined : lengthOf(name, input);
  return forMs === undefined ? name : `${name} (${lengthText(forMs)})`;
};

/** How long a stage lasts by plan. */
export const lengthOf = (
  name: string,
  { strategy, bake }: NonNullable<ReleaseFacts['input']>,
): number | undefined => {
  if (name === 'bake') return bake?.forMs;
  if (name === 'retain') return strategy.type === 'blue-green' ? strategy.retainMs : undefined;
  if (strategy.type === 'rolling') return undefined;
  return strategy.steps.find(({ weightPercent }) => name === `watch at ${String(weightPercent)} %`)
    ?.forMs;
};

/** What a failure leads to, as the release asked. */
export const onFailureText = ({ input }: ReleaseFacts): string =>
  input?.onFailure === 'hold'
    ? 'the release stays as it is and asks an operator'
    : 'everything is put back, the traffic first';

/** What ends a release that takes too long. */
export const deadlineSentences = ({ input }: ReleaseFacts): string[] =>
  input === null
    ? []
    : [
        `The release may move for ${lengthText(input.deadlineMs)}, planned stops and waiting not counted; then it is stopped and everything is put back.`,
      ];
