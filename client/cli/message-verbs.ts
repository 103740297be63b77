import { Command } from 'commander';
import type { UpdateName } from '../../contracts/messages.ts';
import {
  actorOption,
  environmentOption,
  jsonOption,
  reasonOption,
  type CommandContext,
} from './command-context.ts';
import { verbCommand } from './command-lines.ts';

const descriptions: Record<UpdateName, string> = {
  approve: 'Approve the plan that a release waits with',
  reject: 'Reject the plan that a release waits with; nothing is changed',
  pause: 'Stop forward moves of a release; watching and putting back go on',
  resume: 'Let a paused release go on',
  skip: 'Leave out the gate or the failed step that a release waits at',
  abort: 'Put everything back that a release has changed',
  retryStep: 'Try the failed step of a release on hold again',
  retryCompensation: 'Try again what could not be undone',
  setWeight: 'Give the new version a share of the traffic and stay there',
  promote: 'End what is being watched or waited for, and go on',
  promoteFull: 'Give the new version everything without watching any more',
};

const decisions: ReadonlySet<string> = new Set<UpdateName>(['approve', 'reject']);

export interface MessageFlags {
  environment?: string;
  release?: string;
  reason: string;
  actor?: string;
  plan?: string;
  weight?: number;
  json?: boolean;
}

/** One verb for each message that a run accepts. */
export const messageVerbs = (context: CommandContext): Command[] =>
  (Object.keys(descriptions) as UpdateName[]).map((name) => messageVerb(context, name));

const messageVerb = (context: CommandContext, name: UpdateName): Command => {
  const verb = verbCommand(name);
  const command = new Command(verb)
    .description(descriptions[name])
    .argument('<service>', 'name of the service')
    .addOption(environmentOption())
    .addOption(reasonOption())
    .addOption(actorOption())
    .option('--release <name>', 'a release by name; the one that runs or waits unless given')
    .addOption(jsonOption());
  if (decisions.has(name)) {
    command.option('--plan <digest>', 'the plan that was read; the current one unless given');
  }
  if (name === 'setWeight') {
    command.requiredOption('--weight <percent>', 'share for the new version, 0–100', Number);
  }
  const example = name === 'setWeight' ? `${verb} shop --weight 30` : `${verb} shop`;
  return command
    .addHelpText(
      'after',
      `\nExample:\n  holdfast ${example} -e staging --reason "checked with Ana"`,
    )
    .action(async (service: string, flags: MessageFlags) => {
      const { sendMessage } = await import('./send-message.ts');
      await sendMessage(context, name, { service, ...flags });
    });
};
