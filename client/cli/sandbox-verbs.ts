import { Command, Option } from 'commander';
import { jsonOption, type CommandContext } from './command-context.ts';

export interface SandboxFlags {
  level?: string;
  yes?: boolean;
  json?: boolean;
  lines?: string;
}

export const levelOption = (): Option =>
  new Option('--level <level>', '1: control plane only, 2: real pods and traffic').choices([
    '1',
    '2',
  ]);

/** The embedded stack: Temporal, Kubernetes and the gateway on this machine. */
export const sandboxVerbs = (context: CommandContext): Command => {
  const load = async () => import('./sandbox.ts');
  return new Command('sandbox')
    .description('The embedded Temporal server and Kubernetes cluster of this machine')
    .addCommand(
      new Command('up')
        .description('Bring the sandbox up, or find the one that runs')
        .addOption(levelOption())
        .option('--yes', 'change the host without being asked; so does HOLDFAST_YES=1')
        .addOption(jsonOption())
        .addHelpText('after', '\nExample:\n  holdfast sandbox up --level 1')
        .action(async (flags: SandboxFlags) => (await load()).up(context, flags)),
    )
    .addCommand(
      new Command('down')
        .description('Remove everything that the sandbox made')
        .action(async () => (await load()).down(context)),
    )
    .addCommand(
      new Command('status')
        .description('Say what runs, and where')
        .addOption(jsonOption())
        .action(async (flags: SandboxFlags) => (await load()).status(context, flags)),
    )
    .addCommand(
      new Command('logs')
        .description('Print the last log lines of a part, or of all')
        .argument('[part]', 'name of a part, as `holdfast sandbox status` lists it')
        .option('--lines <count>', 'lines of each part', '20')
        .action(async (part: string | undefined, flags: SandboxFlags) =>
          (await load()).logs(context, part, flags),
        ),
    )
    .addCommand(
      new Command('doctor')
        .description('Check every prerequisite, and say how to repair what is missing')
        .addOption(jsonOption())
        .action(async (flags: SandboxFlags) => (await load()).doctor(context, flags)),
    );
};
