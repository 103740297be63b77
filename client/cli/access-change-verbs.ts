import { Command, Option } from 'commander';
import type { UpdateName } from '../../contracts/messages.ts';
import { manageAccess } from '../../contracts/security/manage-access.ts';
import { accessOption, type AccessFlags } from './access-options.ts';
import {
  actorOption,
  environmentOption,
  jsonOption,
  reasonOption,
  type CommandContext,
} from './command-context.ts';
import { verbCommand } from './command-lines.ts';
import {
  decisions,
  planOption,
  printOption,
  validOption,
  type SendFlags,
} from './message-verbs.ts';

export interface ChangeFlags {
  file: string;
  reason?: string;
  actor?: string;
  wait?: boolean;
  timeout?: string;
  json?: boolean;
}

export interface BreakGlassFlags {
  environment?: string;
  for: string;
  reason: string;
  actor?: string;
  json?: boolean;
}

export interface GetAccessFlags {
  watch?: boolean;
  timeout?: string;
  json?: boolean;
}

export interface CertifyFlags {
  every?: 'month' | 'quarter';
  stop?: boolean;
  reason?: string;
  actor?: string;
  json?: boolean;
}

export interface ReviewFlags extends AccessFlags {
  user?: string;
}

/** Verbs of `holdfast access` about who has which roles. */
export const accessChangeVerbs = (context: CommandContext): Command[] => [
  changeCommand(context),
  breakGlassCommand(context),
  getCommand(context),
  ...manageAccess.messages.map((name) => messageCommand(context, name)),
  certifyCommand(context),
  reviewCommand(context),
];

const changeCommand = (context: CommandContext): Command =>
  new Command('change')
    .description('Give and take away roles, as a file says')
    .option('-f, --file <path>', 'change of access', 'change.yaml')
    .option('--wait', 'wait until the roles are given, or the change has ended otherwise')
    .option('--timeout <duration>', 'stop waiting after this, e.g. 10m; the change goes on')
    .option('--reason <text>', 'why, in one sentence; instead of the one in the file')
    .addOption(actorOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Example:
  holdfast access change -f change.yaml --wait

Exit codes: 0 given or on its way, 2 refused input, 5 waits for an approval,
6 waiting timed out, 7 put back, 8 needs an operator or a target was left out.`,
    )
    .action(async (flags: ChangeFlags) => {
      const { changeAccess } = await import('./change-access.ts');
      await changeAccess(context, flags);
    });

const breakGlassCommand = (context: CommandContext): Command =>
  new Command('break-glass')
    .description('Take a role at once, in an emergency; somebody else reviews it afterwards')
    .argument('<role>', 'a role of `managed.breakGlass` of access.yaml')
    .addOption(environmentOption())
    .addOption(new Option('--for <duration>', 'it ends by itself after this').default('1h'))
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast access break-glass operator -e prod --for 2h --reason "checkout is down"',
    )
    .action(async (role: string, flags: BreakGlassFlags) => {
      const { breakGlass } = await import('./break-glass.ts');
      await breakGlass(context, role, flags);
    });

const getCommand = (context: CommandContext): Command =>
  new Command('get')
    .description('Show changes of access, or one: stages, roles, targets, what it waits for')
    .argument('[change]', 'name of the change; a list of changes without it')
    .option('-w, --watch', 'follow it until it has ended')
    .option('--timeout <duration>', 'stop watching after this, e.g. 10m')
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast access get ops-4711 --watch')
    .action(async (change: string | undefined, flags: GetAccessFlags) => {
      const { getAccess } = await import('./get-access.ts');
      await getAccess(context, change, flags);
    });

const descriptions: Partial<Record<UpdateName, string>> = {
  approve: 'Approve the roles that a change waits with; after breaking glass: it was in order',
  reject: 'Refuse them; after breaking glass: it was not in order',
  retryStep: 'Try again a target that does not take a change',
  skip: 'Leave out the target that a change waits at; it is told as not done',
  abort: 'Put everything back; of roles that are given for a time: end them now',
};

const messageCommand = (context: CommandContext, name: UpdateName): Command => {
  const verb = verbCommand(name);
  const command = new Command(verb)
    .description(descriptions[name] ?? '')
    .argument('<change>', 'name of the change')
    .addOption(reasonOption())
    .addOption(actorOption())
    .addOption(printOption())
    .addOption(validOption())
    .addOption(jsonOption());
  if (decisions.has(name)) command.addOption(planOption());
  return command
    .addHelpText(
      'after',
      `\nExample:\n  holdfast access ${verb} ops-4711 --reason "checked with Ana"`,
    )
    .action(async (change: string, flags: SendFlags) => {
      const { sendAccessMessage } = await import('./send-access-message.ts');
      await sendAccessMessage(context, { change, name, flags });
    });
};

const certifyCommand = (context: CommandContext): Command =>
  new Command('certify')
    .description('Have somebody confirm that all roles are still right')
    .addOption(
      new Option('--every <interval>', 'from now on by itself, on the first at 08:00 UTC').choices([
        'month',
        'quarter',
      ]),
    )
    .addOption(new Option('--stop', 'start no more by itself').conflicts('every'))
    .option('--reason <text>', 'why, in one sentence; kept as evidence')
    .addOption(actorOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast access certify --every quarter')
    .action(async (flags: CertifyFlags) => {
      const { certifyAccess } = await import('./certify-access.ts');
      await certifyAccess(context, flags);
    });

const reviewCommand = (context: CommandContext): Command =>
  new Command('review')
    .description('Show who has which roles now: by what, through which group, until when')
    .option('--user <name>', 'only of this user')
    .addOption(accessOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  holdfast access review --user ana@example.com')
    .action(async (flags: ReviewFlags) => {
      const { reviewAccess } = await import('./review-access.ts');
      await reviewAccess(context, flags);
    });
