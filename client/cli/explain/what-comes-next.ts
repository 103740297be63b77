import type { ReleaseFacts, Stage, ToldFacts } from './release-facts.ts';
import { lengthText, listText } from './wording.ts';

const mostSteps = 5;

/** The steps that are still to come, in order, as far as they are known. */
export const stepsToCome = (facts: ToldFacts): string[] => {
  const { stages, rollout } = facts.progress;
  const names = stages
    .filter((stage) => stage.status === 'pending' && !isLeftOut(stage, facts))
    .map(({ name }) => name)
    .filter((name) => !isBehind(name, rollout?.weightPercent));
  return withoutObjects(names).map((name) => withLength(name, facts));
};

/** Many objects in a row are one step to who reads on; a rollout belongs to its object. */
const withoutObjects = (names: readonly string[]): string[] => {
  const steps: string[] = [];
  let writes = 0;
  for (const [index, name] of names.entries()) {
    if (!isWrite(name)) {
      steps.push(name);
      continue;
    }
    if (!/^(roll out|drain) /.test(name)) writes += 1;
    const next = names[index + 1];
    if (next !== undefined && isWrite(next)) continue;
    steps.push(writes === 1 ? 'write one object' : `write ${String(writes)} objects`);
    writes = 0;
  }
  return steps;
};

/** A stage that writes an object, or waits for its pods: `patch Service/shop`. */
export const isWrite = (stage: string): boolean => /^[a-z ]+ [A-Z]\w+\/\S+$/.test(stage);

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
  if (!('steps' in strategy)) return undefined;
  return strategy.steps.find(({ weightPercent }) => name === `watch at ${String(weightPercent)} %`)
    ?.forMs;
};

/** What a failure leads to now, as the release asked. */
export const onFailureText = ({ input, progress }: ReleaseFacts): string => {
  const isReady = progress?.stages.find(({ name }) => name === 'pre-image')?.status === 'done';
  if (!isReady) return 'the release ends, and nothing was touched';
  return input?.onFailure === 'hold'
    ? 'the release stays as it is and asks an operator'
    : 'everything is put back, the traffic first';
};

/** What ends a release that takes too long. */
export const deadlineSentences = ({ input }: ReleaseFacts): string[] =>
  input === null
    ? []
    : [
        `The release may move for ${lengthText(input.deadlineMs)}, planned stops and waiting not counted; then it is stopped and everything is put back.`,
      ];
