import { Command } from 'commander';
import { environmentOption, type CommandContext } from './command-context.ts';

export interface ReportFlags {
  environment?: string;
  release?: string;
  output?: string;
}

export const reportVerb = (context: CommandContext): Command =>
  new Command('report')
    .description('Write all that is known of a finished release to one HTML file')
    .argument('<service>', 'name of the service')
    .addOption(environmentOption())
    .option('--release <name>', 'a release by name; the current or last one unless given')
    .option(
      '-o, --output <file>',
      'where to write it, - for standard output; SERVICE-ENVIRONMENT-RELEASE.html unless given',
    )
    .addHelpText(
      'after',
      `
The file needs nothing else: it can be sent, archived and printed. Its name is the
only line on standard output.

Example:
  holdfast deploy report shop -e staging --release 2.4.1`,
    )
    .action(async (service: string, flags: ReportFlags) => {
      const { reportDeploy } = await import('./report-deploy.ts');
      await reportDeploy(context, service, flags);
    });
