import { Command } from 'commander';
import { environmentOption, jsonOption, type CommandContext } from './command-context.ts';

export interface GetFlags {
  environment?: string;
  release?: string;
  watch?: boolean;
  timeout?: string;
  json?: boolean;
}

export const getVerb = (context: CommandContext): Command =>
  new Command('get').description('Show runs').addCommand(
    new Command('deploy')
      .description('Show releases, or the tree of one')
      .argument('[service]', 'name of the service; a list of releases without it')
      .addOption(environmentOption())
      .option('--release <name>', 'a release by name; the current or last one unless given')
      .option('-w, --watch', 'follow it until it has ended')
      .option('--timeout <duration>', 'stop watching after this, e.g. 10m')
      .addOption(jsonOption())
      .addHelpText('after', '\nExample:\n  holdfast get deploy shop -e staging --watch')
      .action(async (service: string | undefined, flags: GetFlags) => {
        const { getDeploy } = await import('./get-deploy.ts');
        await getDeploy(context, service, flags);
      }),
  );
