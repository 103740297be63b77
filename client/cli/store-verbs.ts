import { Command } from 'commander';
import { jsonOption, type CommandContext } from './command-context.ts';

export interface StoreFlags {
  json?: boolean;
  dryRun?: boolean;
  replace?: boolean;
  keep?: string[];
}

/** The database with what outlives runs. */
export const storeVerbs = (context: CommandContext): Command =>
  new Command('store')
    .description('The database of what outlives runs: that of the sandbox, or DATABASE_URL')
    .addCommand(statusVerb(context))
    .addCommand(migrateVerb(context))
    .addCommand(backupVerb(context))
    .addCommand(restoreVerb(context))
    .addCommand(pruneVerb(context));

const load = async () => import('./store.ts');

const statusVerb = (context: CommandContext): Command =>
  new Command('status')
    .description('Say where it is, whether it is up to date, and what it holds')
    .addOption(jsonOption())
    .action(async (flags: StoreFlags) => (await load()).status(context, flags));

const migrateVerb = (context: CommandContext): Command =>
  new Command('migrate')
    .description('Bring it to what this version needs; there is no way back but a backup')
    .option('--dry-run', 'print the SQL, without running it')
    .addOption(jsonOption())
    .action(async (flags: StoreFlags) => (await load()).migrate(context, flags));

const backupVerb = (context: CommandContext): Command =>
  new Command('backup')
    .description('Write all of it, as it is at one moment, to a new file')
    .argument('<file>', 'file that is not there yet')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast store backup holdfast-monday.backup')
    .action(async (file: string, flags: StoreFlags) => (await load()).backup(context, file, flags));

const restoreVerb = (context: CommandContext): Command =>
  new Command('restore')
    .description('Fill an empty database from a backup: all of it, or nothing')
    .argument('<file>', 'file that `holdfast store backup` has written')
    .option('--replace', 'give up what the database holds')
    .addOption(jsonOption())
    .action(async (file: string, flags: StoreFlags) =>
      (await load()).restore(context, file, flags),
    );

const pruneVerb = (context: CommandContext): Command =>
  new Command('prune')
    .description('Remove records that are older than their rule allows')
    .option(
      '--keep <records=time>',
      'another time than the rule says, e.g. release-records=400d; may be repeated',
      (text: string, others: string[]) => [...others, text],
      [],
    )
    .option('--dry-run', 'say what would be removed, without removing it')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast store prune --dry-run --keep release-records=400d',
    )
    .action(async (flags: StoreFlags) => (await load()).prune(context, flags));
