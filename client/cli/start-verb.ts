import { Command, Option } from 'commander';
import type { CommandContext } from './command-context.ts';

export interface StartFlags {
  level?: string;
  yes?: boolean;
}

export const startVerb = (context: CommandContext): Command =>
  new Command('start')
    .description('Bring up the sandbox and workers, and keep them until Ctrl-C')
    .addOption(
      new Option('--level <level>', '1: control plane only, 2: real pods and traffic').choices([
        '1',
        '2',
      ]),
    )
    .option('--yes', 'change the host without being asked; so does HOLDFAST_YES=1')
    .action(async (flags: StartFlags) => {
      const { start } = await import('./start.ts');
      context.end(await start(context.terminal, flags));
    });
