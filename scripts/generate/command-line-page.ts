import type { Command } from 'commander';
import { createProgram, withDescendants } from '../../client/cli/program.ts';
import { generatedNote } from './markdown.ts';

const silent = { write: () => undefined };

/** `docs/reference/cli.md` */
export const commandLinePage = (): string => {
  const terminal = {
    stdout: silent,
    stderr: silent,
    stdin: process.stdin,
    canAsk: false,
    colour: false,
  };
  const program = createProgram({ terminal, end: () => undefined });
  const sections = withDescendants(program).map(
    (command) => `## ${fullName(command)}\n\n\`\`\`text\n${helpOf(command).trimEnd()}\n\`\`\``,
  );
  return [
    generatedNote,
    '# Command line',
    'Data goes to standard output, everything else to standard error. `--json` prints data for machines. Exit codes are those of the [errors](errors.md). Without a terminal nothing is coloured, repainted or asked.',
    ...sections,
  ]
    .join('\n\n')
    .concat('\n');
};

const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;

/** The help as it is printed, with the examples that follow it. */
const helpOf = (command: Command): string => {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
};
