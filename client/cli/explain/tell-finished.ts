import { lookCommand } from '../command-lines.ts';
import type { Telling } from './explanation.ts';
import type { ReleaseFacts } from './release-facts.ts';
import { listText, sentence } from './wording.ts';

/** It has ended. */
export const tellFinished = (facts: ReleaseFacts): Telling => {
  const { result, name } = facts;
  const outcome = outcomeOf(facts);
  const failure = failureOf(facts);
  return {
    headline: headlines[outcome] ?? `has ended: ${outcome}`,
    now: result === null ? [] : proofSentences(result),
    why: failure === null ? [] : [sentence(failure.text)],
    next: [
      'Nothing more happens in this release.',
      ...(failure?.next === undefined ? [] : [failure.next]),
    ],
    commands: [
      { command: lookCommand('deploy report', name), effect: 'writes all of it to one HTML file' },
    ],
  };
};

/** How a release ended; one that ended without a result was refused. */
export const outcomeOf = ({
  result,
  progress,
}: Pick<ReleaseFacts, 'result' | 'progress'>): string =>
  result?.outcome ?? progress?.outcome ?? 'refused';

const headlines: Record<string, string> = {
  deployed: 'is deployed and proven',
  'restored-exactly': 'was put back: everything is exactly as before',
  'restored-with-exceptions': 'was put back, but not everything is exactly as before',
  refused: 'was refused; nothing was touched',
};

const failureOf = ({
  result,
  refusal,
  progress,
}: ReleaseFacts): { text: string; next: string | undefined } | null => {
  const failure = result?.failure ?? refusal ?? progress?.failure;
  if (failure === undefined) return null;
  const step = result?.failedStep ?? progress?.failedStep;
  const at = step === undefined ? '' : ` in \`${step}\``;
  return { text: `${failure.code}${at}: ${failure.message}`, next: failure.next };
};

const proofSentences = ({ proof: { rows } }: NonNullable<ReleaseFacts['result']>): string[] => {
  const odd = rows
    .filter(({ verdict }) => verdict !== 'exact')
    .map(({ object, verdict }) => `${object.kind}/${object.name} ${verdict.replaceAll('-', ' ')}`);
  return [
    `The proof: ${String(rows.length - odd.length)} of ${String(rows.length)} objects are exactly as they must be.`,
    ...(odd.length === 0 ? [] : [`Not exact: ${listText(odd, 6)}.`]),
  ];
};
