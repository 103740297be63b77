import { Command, Option } from 'commander';
import { jsonOption, type CommandContext } from './command-context.ts';

export interface VerifyFlags {
  file?: string;
  head?: string;
  key?: string;
  json?: boolean;
}

export interface ExportFlags {
  format: 'jsonl' | 'cloudevents';
}

export interface HeadFlags {
  to?: string;
  keyFile?: string;
  json?: boolean;
}

export interface AuditStatusFlags {
  retryRefused?: boolean;
  json?: boolean;
}

/** The log of what was asked, decided and done. */
export const auditVerbs = (context: CommandContext): Command =>
  new Command('audit')
    .description('The log of what was asked, decided and done, and the proof that it is whole')
    .addCommand(verifyVerb(context))
    .addCommand(exportVerb(context))
    .addCommand(headVerb(context))
    .addCommand(statusVerb(context));

const load = async () => import('./audit.ts');

const verifyVerb = (context: CommandContext): Command =>
  new Command('verify')
    .description('Check every record; name the first bad one, and what was done to it')
    .option('--file <export>', 'an export of `holdfast audit export`, instead of the database')
    .option('--head <path>', 'directory that heads are exported to, or one head')
    .option('--key <key>', 'key to check heads with, instead of the one beside them')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast audit verify --file monday.jsonl --head /mnt/audit-heads',
    )
    .action(async (flags: VerifyFlags) => (await load()).verify(context, flags));

const exportVerb = (context: CommandContext): Command =>
  new Command('export')
    .description('Print all records, one line each')
    .addOption(
      new Option('--format <format>', 'lines that can be verified, or CloudEvents')
        .choices(['jsonl', 'cloudevents'])
        .default('jsonl'),
    )
    .addHelpText('after', '\nExample:\n  holdfast audit export > monday.jsonl')
    .action(async (flags: ExportFlags) => (await load()).exportRecords(context, flags));

const headVerb = (context: CommandContext): Command =>
  new Command('head')
    .description('Sign what the log is now, print that, and export it')
    .addOption(
      new Option('--to <places>', 'directories and https addresses, separated by commas').env(
        'HOLDFAST_AUDIT_EXPORT',
      ),
    )
    .addOption(
      new Option('--key-file <path>', 'key that heads are signed with').env('HOLDFAST_AUDIT_KEY'),
    )
    .addOption(jsonOption())
    .action(async (flags: HeadFlags) => (await load()).head(context, flags));

const statusVerb = (context: CommandContext): Command =>
  new Command('status')
    .description('Say what is recorded, exported and still open')
    .option('--retry-refused', 'have what a target refused told to it again')
    .addOption(jsonOption())
    .action(async (flags: AuditStatusFlags) => (await load()).status(context, flags));
