import type { OpsClient } from '../index.ts';
import type { CertifyFlags } from './access-change-verbs.ts';
import { soon, tellStart, tellWhereItIs } from './change-access.ts';
import type { CommandContext } from './command-context.ts';
import { openClient } from './open-client.ts';
import { printJson, printLine, type Terminal } from './terminal.ts';

/** `holdfast access certify` */
export const certifyAccess = async (
  { terminal, end }: CommandContext,
  flags: CertifyFlags,
): Promise<void> => {
  await using ops = await openClient(flags.actor);
  if (flags.stop === true) await stop(terminal, ops, flags);
  else if (flags.every !== undefined)
    await schedule(terminal, ops, { ...flags, every: flags.every });
  else end(await certifyNow(terminal, ops, flags));
};

const certifyNow = async (
  terminal: Terminal,
  ops: OpsClient,
  flags: CertifyFlags,
): Promise<number> => {
  const { reason = 'Certification of all roles' } = flags;
  const run = await ops.security.manageAccess.start({
    change: `certify-${new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)}`,
    certify: true,
    requestedBy: { reason },
  });
  tellStart(terminal, run, flags);
  return tellWhereItIs(terminal, run, { ...soon, json: flags.json === true });
};

const schedule = async (
  terminal: Terminal,
  ops: OpsClient,
  { every, json }: CertifyFlags & { every: 'month' | 'quarter' },
): Promise<void> => {
  const made = await ops.security.certification.every(every);
  if (json === true) {
    printJson(terminal, made);
    return;
  }
  const next = made.nextAt === null ? '' : `, next at ${made.nextAt}`;
  const already = made.changed ? '' : ' already';
  printLine(terminal, `certifications start every ${every}${already}${next}`);
};

const stop = async (terminal: Terminal, ops: OpsClient, { json }: CertifyFlags): Promise<void> => {
  const changed = await ops.security.certification.stop();
  if (json === true) printJson(terminal, { changed });
  else if (changed) printLine(terminal, 'certifications do not start by themselves any more');
  else printLine(terminal, 'certifications did not start by themselves; nothing was changed');
};
