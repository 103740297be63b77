import type { ManageAccessRequest, StartedManageAccess } from '../index.ts';
import { OpsError } from '../ops-error.ts';
import type { ChangeFlags } from './access-change-verbs.ts';
import type { CommandContext } from './command-context.ts';
import { parseDurationFlag } from './duration-flag.ts';
import { loadAccessChange } from './files/index.ts';
import {
  followAccess,
  tellAccessLeft,
  tellAccessResult,
  type AccessGoal,
} from './follow-access.ts';
import { openClient } from './open-client.ts';
import { printJson, printLine, say, type Terminal } from './terminal.ts';

/** `holdfast access change` */
export const changeAccess = async (
  { terminal, end }: CommandContext,
  flags: ChangeFlags,
): Promise<void> => {
  const timeoutMs = parseDurationFlag('timeout', flags.timeout);
  const request = await requestOf(flags);
  await using ops = await openClient(flags.actor);
  const run = await ops.security.manageAccess.start(request);
  tellStart(terminal, run, flags);
  const wait = flags.wait === true ? { goal: 'given' as const, timeoutMs } : soon;
  end(await tellWhereItIs(terminal, run, { ...wait, json: flags.json === true }));
};

// A plan is there at once where a worker is; without one the command does not stay for it.
const settlesWithinMs = 10_000;

/** Long enough to say what it waits for, or why it is refused. */
export const soon = { goal: 'settled', timeoutMs: settlesWithinMs } as const;

const requestOf = async (flags: ChangeFlags): Promise<ManageAccessRequest> => {
  const request = await loadAccessChange(flags.file);
  const reason = flags.reason ?? request.requestedBy?.reason;
  if (reason !== undefined) return { ...request, requestedBy: { reason } };
  throw new OpsError({
    code: 'INVALID_INPUT',
    message:
      'reason: is missing: nobody could say later why these roles were given. Nothing was changed.',
    next: 'Say why with --reason, or in the file.',
    subject: 'reason',
  });
};

export const tellStart = (
  terminal: Terminal,
  { workflowId, url, started }: StartedManageAccess,
  { json }: { json?: boolean },
): void => {
  if (json === true) return;
  say(terminal, `${started ? 'started' : 'found'} ${workflowId}`);
  if (url !== undefined) say(terminal, url, 'faint');
};

interface Waiting {
  goal: AccessGoal;
  timeoutMs: number | undefined;
  json: boolean;
}

/** Follows a change as far as asked, prints where it is then, and answers the exit code. */
export const tellWhereItIs = async (
  terminal: Terminal,
  run: StartedManageAccess,
  { goal, timeoutMs, json }: Waiting,
): Promise<number> => {
  const followed = await followAccess(terminal, run, {
    goal,
    output: terminal.stderr,
    silent: json,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  if (followed.end === 'ended') {
    return tellAccessResult(terminal, { run, result: await run.result(), json });
  }
  const { workflowId, runId, url, started } = run;
  const { progress } = followed;
  if (json) printJson(terminal, { workflowId, runId, url, started, progress });
  else printLine(terminal, workflowId);
  return tellAccessLeft(terminal, run, followed);
};
