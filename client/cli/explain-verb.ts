import { Command } from 'commander';
import { environmentOption, jsonOption, type CommandContext } from './command-context.ts';

export interface ExplainFlags {
  environment?: string;
  release?: string;
  json?: boolean;
}

export const explainVerb = (context: CommandContext): Command =>
  new Command('explain')
    .description('Say why a release is where it is, what it waits for, and what would change it')
    .argument('<service>', 'name of the service')
    .addOption(environmentOption())
    .option('--release <name>', 'a release by name; the current or last one unless given')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast deploy explain shop -e staging')
    .action(async (service: string, flags: ExplainFlags) => {
      const { explainDeploy } = await import('./explain-deploy.ts');
      await explainDeploy(context, service, flags);
    });
