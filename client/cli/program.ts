import { Command } from 'commander';
import { auditVerbs } from './audit-verbs.ts';
import { accessVerb } from './access-verb.ts';
import type { CommandContext } from './command-context.ts';
import { deployVerb } from './deploy-verb.ts';
import { getVerb } from './get-verb.ts';
import { keysVerb } from './keys-verb.ts';
import { lockVerb } from './lock-verb.ts';
import { messageVerbs } from './message-verbs.ts';
import { sandboxVerbs } from './sandbox-verbs.ts';
import { startVerb } from './start-verb.ts';
import { storeVerbs } from './store-verbs.ts';
import { workerVerb } from './worker-verb.ts';

const helpWidthChars = 80;

/**
 * The command line. Verbs load what they need when they run: `--help` loads neither Temporal's
 * client nor the sandbox.
 */
export const createProgram = (context: CommandContext): Command => {
  const program = new Command('holdfast')
    .description('Releases that end with everything new and proven, or exactly as before.')
    .showHelpAfterError('Run with --help to see what there is.')
    .showSuggestionAfterError()
    // What comes behind the name of a verb belongs to that verb, also where two have the same flag.
    .enablePositionalOptions()
    .helpCommand(false);
  const verbs = [
    startVerb(context),
    sandboxVerbs(context),
    deployVerb(context),
    getVerb(context),
    ...messageVerbs(context),
    lockVerb(context),
    storeVerbs(context),
    workerVerb(context),
    keysVerb(context),
    auditVerbs(context),
    accessVerb(context),
  ];
  for (const verb of verbs) program.addCommand(verb);
  for (const command of withDescendants(program)) {
    command
      .exitOverride()
      .configureHelp({ helpWidth: helpWidthChars, minWidthToWrap: 20 })
      .configureOutput({
        writeOut: (text) => context.terminal.stdout.write(text),
        writeErr: (text) => context.terminal.stderr.write(text),
      });
  }
  return program;
};

/** The command itself and everything below it. */
export const withDescendants = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withDescendants),
];
