import type { CommandTarget } from '../command-lines.ts';
import { paint, type Canvas } from '../paint.ts';
import type { Explanation } from './explanation.ts';

const labelChars = 11;
/** Longer lines are hard to read, however wide the terminal is. */
const mostChars = 100;

const sections = [
  { label: 'now', part: 'now' },
  { label: 'why', part: 'why' },
  { label: 'waits for', part: 'waitsFor' },
  { label: 'next', part: 'next' },
  { label: 'so far', part: 'done' },
] as const;

/** The explanation as a person reads it: a label and sentences, then the commands. */
export const renderExplanation = (
  { service, release, environment }: CommandTarget,
  explanation: Explanation,
  { widthChars, colour }: Canvas,
): string => {
  const width = Math.max(40, Math.min(widthChars, mostChars));
  const title = `${service} ${release} → ${environment} ${explanation.headline}.`;
  const body = sections.flatMap(({ label, part }) => {
    const sentences = explanation[part];
    if (sentences.length === 0) return [];
    return wrapped(sentences.join(' '), width - labelChars).map((line, index) => {
      const head = index === 0 ? label.padEnd(labelChars) : ' '.repeat(labelChars);
      return `${paint(head, 'faint', colour)}${line}`;
    });
  });
  // A command that is cut or wrapped cannot be copied: it has a line of its own.
  const commands = explanation.commands.flatMap(({ command, effect }) => [
    `  ${command}`,
    paint(`      ${effect}`, 'faint', colour),
  ]);
  return [
    ...wrapped(title, width).map((line) => paint(line, 'strong', colour)),
    ...body,
    ...(commands.length === 0 ? [] : ['', ...commands]),
  ].join('\n');
};

/** Words in lines of at most this width; a word that is longer has a line of its own. */
const wrapped = (text: string, widthChars: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > widthChars) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
};
