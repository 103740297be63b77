import { Command, Option } from 'commander';
import type { UpdateName } from '../../contracts/messages.ts';
import {
  actorOption,
  environmentOption,
  jsonOption,
  reasonOption,
  type CommandContext,
} from './command-context.ts';
import { OpsError } from '../ops-error.ts';
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
  setWeight: 'Give the new version this share of the traffic, and stay there until promote',
  promote: 'Go on with the rollout now: end the watch, the held weight or the wait of a release',
  promoteFull: 'Give the new version all traffic now, without watching any more',
};

/** What someone has to know who reads only the help of this verb. */
const explanations: Partial<Record<UpdateName, string>> = {
  setWeight: `
It needs an HTTPRoute: a canary, or blue-green with a route. The new version has
to be up, and must not have all traffic yet. Nothing judges it while it is held.
`,
  promote: `
It ends what the rollout waits at: a gate that is watched counts as skipped, a
weight that was set is left, an old version that is kept ready goes. It approves
nothing: for that there is approve.
`,
  promoteFull: `
All gates that are left are skipped, and the old version is not kept ready. Only
the proof at the end is made. To go on step by step, use promote.
`,
};

export const decisions: ReadonlySet<string> = new Set<UpdateName>(['approve', 'reject']);

/** What is sent, whichever run it goes to. */
export interface SendFlags {
  reason: string;
  actor?: string;
  plan?: string;
  weight?: number;
  json?: boolean;
  print?: boolean;
  valid?: string;
}

export interface MessageFlags extends SendFlags {
  environment?: string;
  release?: string;
}

export const printOption = (): Option =>
  new Option('--print', 'send nothing; print the signed message, to paste into the Temporal UI');

export const validOption = (): Option =>
  new Option('--valid <duration>', 'how long the printed message is good').default('1h');

export const planOption = (): Option =>
  new Option('--plan <digest>', 'the plan that was read; the current one unless given');

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
    .option(
      '--release <name>',
      'a release by name; unless given, the one that has the lock, else the first that waits',
    )
    .addOption(printOption())
    .addOption(validOption())
    .addOption(jsonOption());
  if (decisions.has(name)) {
    command.addOption(planOption());
  }
  if (name === 'setWeight') {
    command.requiredOption('--weight <percent>', 'share for the new version, 0–100', parseWeight);
  }
  const example = name === 'setWeight' ? `${verb} shop --weight 30` : `${verb} shop`;
  return command
    .addHelpText(
      'after',
      `${explanations[name] ?? ''}\nExample:\n  holdfast ${example} -e staging --reason "checked with Ana"`,
    )
    .action(async (service: string, flags: MessageFlags) => {
      const { sendMessage } = await import('./send-message.ts');
      await sendMessage(context, name, { service, ...flags });
    });
};

/**
 * A weight on the command line. Only digits: of an empty or odd text a number could still be
 * made, and 0 takes all traffic from the new version.
 *
 * @throws INVALID_INPUT
 */
const parseWeight = (text: string): number => {
  const weight = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (weight <= 100) return weight;
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: `--weight: must be a whole number from 0 to 100, not “${text}”. Nothing was sent.`,
    subject: '--weight',
  });
};
