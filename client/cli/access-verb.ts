import { Command, Option } from 'commander';
import { accessChangeVerbs } from './access-change-verbs.ts';
import { accessOption, type AccessFlags } from './access-options.ts';
import { environmentOption, jsonOption, type CommandContext } from './command-context.ts';
import { temporalKeyCommand, temporalTokenCommand } from './temporal-token-verbs.ts';

export interface CreateFlags extends AccessFlags {
  for: string;
  expires: string;
  environments?: string[];
  actions?: string[];
}

export interface RotateFlags extends AccessFlags {
  expires: string;
  overlap: string;
}

export interface CheckFlags extends AccessFlags {
  environment?: string;
  service?: string;
  as?: string;
  requestedBy?: string;
  for?: string[];
  forGroups?: string[];
  breakGlass?: boolean;
}

const expiresOption = (): Option =>
  new Option('--expires <duration>', 'how long the key is good').default('90d');

export const accessVerb = (context: CommandContext): Command => {
  const verb = new Command('access')
    .description(
      'Who may do what: roles and who has them, and the access keys of people and services',
    )
    .enablePositionalOptions()
    .helpCommand(false)
    .addCommand(createCommand(context))
    .addCommand(listCommand(context))
    .addCommand(rotateCommand(context))
    .addCommand(revokeCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(sealingKeyCommand(context))
    .addCommand(temporalKeyCommand(context))
    .addCommand(temporalTokenCommand(context));
  for (const command of accessChangeVerbs(context)) verb.addCommand(command);
  return verb;
};

const createCommand = (context: CommandContext): Command =>
  new Command('create')
    .description('Make an access key, shown once; only its public half is stored')
    .requiredOption('--for <name>', 'user or service account of the directory')
    .addOption(expiresOption())
    .option('--environments <names...>', 'only for these environments')
    .option('--actions <names...>', 'only for these actions, such as deployService.start')
    .addOption(accessOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast access create --for ana@example.com > ~/.config/holdfast/access.key',
    )
    .action(async (flags: CreateFlags) => {
      const { createAccessKey } = await import('./access.ts');
      await createAccessKey(context, flags);
    });

const listCommand = (context: CommandContext): Command =>
  new Command('list')
    .description('Show the access keys: whose they are, for what, until when')
    .addOption(accessOption())
    .addOption(jsonOption())
    .action(async (flags: AccessFlags) => {
      const { listAccessKeys } = await import('./access.ts');
      await listAccessKeys(context, flags);
    });

const rotateCommand = (context: CommandContext): Command =>
  new Command('rotate')
    .description('Make a key in the place of another, which ends after the overlap')
    .argument('<key>', 'id of the key')
    .addOption(expiresOption())
    .addOption(new Option('--overlap <duration>', 'both are good for so long').default('1d'))
    .addOption(accessOption())
    .addOption(jsonOption())
    .action(async (key: string, flags: RotateFlags) => {
      const { rotateAccessKey } = await import('./access.ts');
      await rotateAccessKey(context, key, flags);
    });

const revokeCommand = (context: CommandContext): Command =>
  new Command('revoke')
    .description('Refuse a key from now on, because it was lost or others have it')
    .argument('<key>', 'id of the key')
    .addOption(accessOption())
    .addOption(jsonOption())
    .action(async (key: string, flags: AccessFlags) => {
      const { revokeAccessKey } = await import('./access.ts');
      await revokeAccessKey(context, key, flags);
    });

const checkCommand = (context: CommandContext): Command =>
  new Command('check')
    .description('Read the access configuration as workers do, and ask it a question')
    .argument('[action]', 'who may do this, such as deployService.approve')
    .addOption(environmentOption())
    .option('--service <name>', 'name of the service, or of the change of access')
    .option('--as <name>', 'may this user do it, and by which policy')
    .option('--requested-by <name>', 'who asked for it, where that matters')
    .option('--for <users...>', 'whom a change of access is for')
    .option('--for-groups <groups...>', 'groups that a change of access is for')
    .option('--break-glass', 'a change of access that is taken at once')
    .addOption(accessOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  holdfast access check deployService.approve -e prod --service shop --as ana@example.com',
    )
    .action(async (action: string | undefined, flags: CheckFlags) => {
      const { checkAccess } = await import('./access-check.ts');
      await checkAccess(context, action, flags);
    });

const sealingKeyCommand = (context: CommandContext): Command =>
  new Command('sealing-key')
    .description('Make the key pair by which access tokens travel to the workers')
    .argument('<file>', 'file for the private half; only workers get it')
    .addOption(jsonOption())
    .action(async (file: string, flags: AccessFlags) => {
      const { createSealingKey } = await import('./access.ts');
      await createSealingKey(context, file, flags);
    });
