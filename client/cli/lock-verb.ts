import { Command, Option } from 'commander';
import {
  actorOption,
  environmentOption,
  jsonOption,
  reasonOption,
  type CommandContext,
} from './command-context.ts';

export interface LockFlags {
  environment?: string;
  reason: string;
  actor?: string;
  restore?: boolean;
  adopt?: boolean;
  release?: boolean;
  json?: boolean;
}

export const lockVerb = (context: CommandContext): Command =>
  new Command('lock')
    .description('Decide about the lock of a service whose release was terminated')
    .argument('<service>', 'name of the service')
    .addOption(environmentOption())
    .addOption(
      new Option('--restore', 'put back what the terminated release has changed').conflicts([
        'adopt',
        'release',
      ]),
    )
    .addOption(new Option('--adopt', 'keep what is live as the good release').conflicts('release'))
    .option('--release', 'free the lock and leave every object as it is')
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast lock shop -e staging --restore --reason "run was terminated by mistake"',
    )
    .action(async (service: string, flags: LockFlags) => {
      const { resolveLock } = await import('./resolve-lock.ts');
      await resolveLock(context, service, flags);
    });
