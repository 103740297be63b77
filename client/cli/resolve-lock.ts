import { openClient } from './open-client.ts';
import { OpsError, type LockResolution } from '../index.ts';
import type { CommandContext } from './command-context.ts';
import type { LockFlags } from './lock-verb.ts';
import { requireEnvironment } from './required-environment.ts';
import { printJson, printLine } from './terminal.ts';

/** Tells the entity of a service what to do about a holder that died. */
export const resolveLock = async (
  { terminal }: CommandContext,
  service: string,
  flags: LockFlags,
): Promise<void> => {
  const environment = requireEnvironment(flags.environment);
  const action = chosenAction(flags);
  await using ops = await openClient(flags.actor);
  const { reason } = flags;
  const receipt = await ops.services.resolveLock(environment, service, { action, reason });
  if (flags.json === true) printJson(terminal, receipt);
  else printLine(terminal, `service:${environment}:${service}: ${receipt.state}`);
};

const chosenAction = ({ restore, adopt, release }: LockFlags): LockResolution['action'] => {
  if (restore === true) return 'restore';
  if (adopt === true) return 'adopt';
  if (release === true) return 'release';
  throw new OpsError({
    code: 'INVALID_INPUT',
    message: 'One of --restore, --adopt and --release is needed. Nothing was done.',
    next: 'Read the state with `holdfast get deploy NAME -e ENV`, then choose one.',
  });
};
