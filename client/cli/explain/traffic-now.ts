import { defaultWatch } from '../../../domain/delivery/default-watch.ts';
import { failedOf } from '../rollout-line.ts';
import type { ReleaseFacts, ToldFacts } from './release-facts.ts';
import { lengthText, listText, percentText } from './wording.ts';

type Rollout = NonNullable<ToldFacts['progress']['rollout']>;

/** How much of the traffic the new version has, where it is shared. */
export const shareSentences = ({ progress: { rollout } }: ToldFacts): string[] => {
  if (rollout === undefined) return [];
  const { weightPercent, heldAtPercent } = rollout;
  const going =
    heldAtPercent === undefined || heldAtPercent === weightPercent
      ? []
      : [`It is on the way to ${String(heldAtPercent)} %, which an operator set.`];
  return [shareText(rollout), ...going];
};

const shareText = ({ weightPercent, achievedPercent, measuredPercent }: Rollout): string => {
  if (weightPercent === 0) return 'The new version has no traffic.';
  const measured =
    measuredPercent === undefined
      ? 'the share is not measured'
      : `${String(measuredPercent)} % measured`;
  const byPods = achievedPercent === undefined ? '' : `${String(achievedPercent)} % by pods, `;
  return `The new version has ${String(weightPercent)} % of the traffic (${byPods}${measured}).`;
};

/** What a gate that watches the new version is judged by. */
export const limitSentence = ({ input }: ReleaseFacts): string[] => {
  if (input === null) return [];
  const { maxFailureRatio, minSamples } = input.bake ?? defaultWatch;
  const whose =
    input.bake === undefined ? ' (the release names no limit; this is the default)' : '';
  return [
    `The limit: at most ${percentText(maxFailureRatio)} of its requests may fail${whose}, and fewer than ${String(minSamples)} samples are no data, which is not a pass.`,
  ];
};

/** The metrics that have a say besides the requests. */
export const metricSentences = ({ input }: ReleaseFacts): string[] => {
  const metrics = (input?.analysis?.metrics ?? []).map(({ name, intervalMs, dryRun }) => {
    const without = dryRun ? ', without a say' : '';
    return `${name} (every ${lengthText(intervalMs)}${without})`;
  });
  return metrics.length === 0 ? [] : [`Metrics judge it too: ${listText(metrics, 10)}.`];
};

/** What was counted: windows that are over, and the one of now. */
export const countSentences = (note: string, { counts }: ReleaseFacts): string[] => [
  ...overSentences(note),
  ...nowSentences(counts),
];

const overSentences = (note: string): string[] => {
  const [, failures, samples] = /^(\d+) of (\d+) failed/.exec(note) ?? [];
  if (failures === undefined || samples === undefined) return [];
  const ratio =
    Number(samples) === 0 ? '' : ` (${percentText(Number(failures) / Number(samples))})`;
  return [`So far ${note}${ratio}.`];
};

const nowSentences = (counts: ReleaseFacts['counts']): string[] => {
  if (counts === null) return [];
  const named = (counts.versions ?? []).filter(({ version }) => version !== '');
  const byVersion = named.map((of) => `version ${of.version} ${failedOf(of)}`).join(', ');
  const last = counts.lastFailure === null ? '' : `; last failed answer: ${counts.lastFailure}`;
  return [`In the window of now: ${byVersion === '' ? failedOf(counts) : byVersion}${last}.`];
};
