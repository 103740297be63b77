import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';

export interface WorkerFlags {
  pools?: string;
  environments?: string;
  printConfig?: boolean;
}

export const workerVerb = (context: CommandContext): Command =>
  new Command('worker')
    .description('Run workers in the foreground until Ctrl-C')
    .option(
      '--pools <names>',
      'pools, with commas: orchestration, kubernetes, traffic, notify; all unless given',
    )
    .option('--environments <path>', 'environments.yaml; that of the sandbox unless given')
    .option('--print-config', 'print the settings, without credentials, and end')
    .addHelpText('after', '\nExample:\n  holdfast worker --pools kubernetes,notify')
    .action(async (flags: WorkerFlags) => {
      const { runWorker } = await import('./worker-process.ts');
      context.end(await runWorker(context.terminal, flags));
    });
