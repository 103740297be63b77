import type { MessageReceipt, UpdateName } from '../../contracts/messages.ts';
import { openClient } from './open-client.ts';
import { OpsError, type RunHandle } from '../index.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { requireEnvironment } from './required-environment.ts';
import type { CommandContext } from './command-context.ts';
import type { MessageFlags, SendFlags } from './message-verbs.ts';
import { printJson, printLine, say, type Terminal } from './terminal.ts';

/** Sends one message to the run that a service has now, and tells what the run answers. */
export const sendMessage = async (
  { terminal }: CommandContext,
  name: UpdateName,
  flags: MessageFlags & { service: string },
): Promise<void> => {
  const environment = requireEnvironment(flags.environment);
  const { service, release } = flags;
  await using ops = await openClient(flags.actor);
  const run = await ops.delivery.deployService.getHandle({
    environment,
    service,
    ...(release === undefined ? {} : { release }),
  });
  await sendTo(terminal, run, { name, ...flags });
};

/** As much of a run as is needed to send it something. */
type SteeredRun = Pick<
  RunHandle<unknown, SteeredProgress>,
  'workflowId' | 'progress' | 'sign' | UpdateName
>;

interface SteeredProgress {
  status: string;
  waitingFor?: { planDigest?: string | undefined } | undefined;
}

type Sending = SendFlags & { name: UpdateName };

/** Sends a message to a run of any use case, or prints it, and tells what the run answers. */
export const sendTo = async (
  terminal: Terminal,
  run: SteeredRun,
  sending: Sending,
): Promise<void> => {
  if (sending.print === true) {
    await printSigned(terminal, run, sending);
    return;
  }
  const receipt = await deliver(terminal, run, sending);
  if (sending.json === true) printJson(terminal, { workflowId: run.workflowId, ...receipt });
  else printLine(terminal, `${run.workflowId}: ${receipt.state}`);
};

/** The message is all of the standard output, so that it can be copied or piped. */
const printSigned = async (
  terminal: Terminal,
  run: SteeredRun,
  { name, reason, plan, weight, valid }: Sending,
): Promise<void> => {
  const isDecision = name === 'approve' || name === 'reject';
  const message = await run.sign(
    name,
    {
      reason,
      ...(isDecision ? { planDigest: plan ?? (await currentPlan(run)) } : {}),
      ...(weight === undefined ? {} : { weightPercent: weight }),
    },
    { lifetimeMs: parseDurationFlag('valid', valid) ?? 0 },
  );
  printJson(terminal, message);
  say(terminal, `Next: send it as the update \`${name}\` to ${run.workflowId}.`);
};

const deliver = async (
  terminal: Terminal,
  run: SteeredRun,
  { name, reason, plan, weight }: Sending,
): Promise<MessageReceipt> => {
  if (name === 'setWeight') return run.setWeight({ reason, weightPercent: weight ?? Number.NaN });
  if (name !== 'approve' && name !== 'reject') return run[name]({ reason });
  const planDigest = plan ?? (await currentPlan(run));
  say(terminal, `${name === 'approve' ? 'approves' : 'rejects'} plan ${planDigest}`);
  return run[name]({ reason, planDigest });
};

const currentPlan = async (run: SteeredRun): Promise<string> => {
  const { waitingFor, status } = await run.progress();
  if (waitingFor?.planDigest !== undefined) return waitingFor.planDigest;
  throw new OpsError({
    code: 'MESSAGE_REFUSED',
    message: `${run.workflowId} waits for no approval; it is ${status}.`,
    subject: run.workflowId,
  });
};
