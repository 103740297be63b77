import { Command, Option } from 'commander';
import {
  actorOption,
  environmentOption,
  jsonOption,
  type CommandContext,
} from './command-context.ts';
import { explainVerb } from './explain-verb.ts';
import { reportVerb } from './report-verb.ts';

export interface DeployFlags {
  file: string;
  environment?: string;
  release?: string;
  queue?: 'wait' | 'supersede' | 'hotfix';
  reason?: string;
  actor?: string;
  wait?: boolean;
  timeout?: string;
  dryRun?: boolean;
  adopt?: boolean;
  yes?: boolean;
  idempotencyKey?: string;
  json?: boolean;
}

export const deployVerb = (context: CommandContext): Command =>
  new Command('deploy')
    .description('Release a service as its holdfast.yaml says')
    .enablePositionalOptions()
    .helpCommand(false)
    .addCommand(explainVerb(context))
    .addCommand(reportVerb(context))
    .option('-f, --file <path>', 'service definition', 'holdfast.yaml')
    .addOption(environmentOption())
    .option('--release <name>', 'name of the release; follows from the manifests unless given')
    .option('--wait', 'watch the release until it has ended')
    .option('--timeout <duration>', 'stop watching after this, e.g. 10m; the release goes on')
    .addOption(
      new Option(
        '--queue <policy>',
        'while another release has the lock: wait, take the place of those who wait, or go first',
      ).choices(['wait', 'supersede', 'hotfix']),
    )
    .option('--dry-run', 'print the plan, field by field, and touch nothing')
    .option('--adopt', 'take over objects that Helm, Argo CD or Flux manage')
    .option('--yes', 'take over without being asked')
    .option('--idempotency-key <key>', 'a repeated command with this key finds the same run')
    .option('--reason <text>', 'why, in one sentence; kept as evidence')
    .addOption(actorOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  holdfast deploy -f holdfast.yaml --wait
  kubectl kustomize overlays/staging | holdfast deploy -f holdfast.yaml --dry-run

Exit codes: 0 deployed or started, 2 refused input, 4 conflict, 5 waits for an
approval, 6 watching timed out, 7 put back, 8 needs an operator.`,
    )
    .action(async (flags: DeployFlags) => {
      const { deploy } = await import('./deploy.ts');
      await deploy(context, flags);
    });
