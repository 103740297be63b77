import type { UpdateName } from '../../contracts/messages.ts';
import type { CommandContext } from './command-context.ts';
import type { SendFlags } from './message-verbs.ts';
import { openClient } from './open-client.ts';
import { sendTo } from './send-message.ts';

/** Sends one message to a change of access, and tells what the run answers. */
export const sendAccessMessage = async (
  { terminal }: CommandContext,
  { change, name, flags }: { change: string; name: UpdateName; flags: SendFlags },
): Promise<void> => {
  await using ops = await openClient(flags.actor);
  const run = await ops.security.manageAccess.getHandle(change);
  await sendTo(terminal, run, { name, ...flags });
};
