import { lookCommand } from '../command-lines.ts';
import { failedStepOf, failureOf, outcomeOf } from './ending.ts';
import type { Telling } from './explanation.ts';
import type { ReleaseFacts } from './release-facts.ts';
import { listText, sentence } from './wording.ts';

/** It has ended. */
export const tellFinished = (facts: ReleaseFacts): Telling => {
  const { result, name } = facts;
  const outcome = outcomeOf(facts);
  const failure = failureOf(facts);
  const step = failedStepOf(facts);
  const at = step === undefined ? '' : ` in \`${step}\``;
  return {
    headline: headlines[outcome] ?? `has ended: ${outcome}`,
    now: result === null ? [] : proofSentences(result),
    why: failure === undefined ? [] : [sentence(`${failure.code}${at}: ${failure.message}`)],
    next: [
      'Nothing more happens in this release.',
      ...(failure?.next === undefined ? [] : [failure.next]),
    ],
    commands: [
      { command: lookCommand('deploy report', name), effect: 'writes all of it to one HTML file' },
    ],
  };
};

const headlines: Record<string, string> = {
  deployed: 'is deployed and proven',
  'restored-exactly': 'was put back: everything is exactly as before',
  'restored-with-exceptions': 'was put back, but not everything is exactly as before',
  refused: 'was refused; nothing was touched',
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
