import { randomBytes } from 'node:crypto';
import { momentInWords } from '../../domain/security/effective-roles.ts';
import type { AccessPlan, ManageAccessProgress, StartedManageAccess } from '../index.ts';
import { changeNameOf } from '../security/manage-access.ts';
import type { BreakGlassFlags } from './access-change-verbs.ts';
import { soon, tellStart } from './change-access.ts';
import type { CommandContext } from './command-context.ts';
import { accessCommand } from './command-lines.ts';
import { parseDurationFlag } from './duration-flag.ts';
import {
  followAccess,
  tellAccessLeft,
  tellAccessResult,
  type FollowedAccess,
} from './follow-access.ts';
import { openClient } from './open-client.ts';
import { exitCodes } from './report-error.ts';
import { requireEnvironment } from './required-environment.ts';
import { printJson, printLine, say, type Terminal } from './terminal.ts';

/** `holdfast access break-glass` */
export const breakGlass = async (
  { terminal, end }: CommandContext,
  role: string,
  flags: BreakGlassFlags,
): Promise<void> => {
  const environment = requireEnvironment(flags.environment);
  const forMs = parseDurationFlag('for', flags.for) ?? 0;
  await using ops = await openClient(flags.actor);
  const user = ops.actor;
  const run = await ops.security.manageAccess.start({
    change: changeNameAt(Date.now()),
    breakGlass: true,
    give: [{ role, user, environments: [environment], forMs }],
    requestedBy: { reason: flags.reason },
  });
  tellStart(terminal, run, flags);
  const json = flags.json === true;
  const followed = await followAccess(terminal, run, {
    ...soon,
    output: terminal.stderr,
    silent: json,
  });
  if (followed.end === 'ended') {
    end(tellAccessResult(terminal, { run, result: await run.result(), json }));
  } else if (followed.end === 'reached') {
    await tellTaken(terminal, { run, followed, json, what: `${role} in ${environment}` });
    end(exitCodes.ok);
  } else {
    if (json) printJson(terminal, { ...nameOf(run), progress: followed.progress });
    end(tellAccessLeft(terminal, run, followed));
  }
};

/** Sorts by time, and two at the same second do not meet. */
const changeNameAt = (nowMs: number): string => {
  const time = new Date(nowMs).toISOString().replaceAll(/\D/g, '').slice(0, 14);
  return `break-glass-${time}-${randomBytes(3).toString('hex')}`;
};

const nameOf = ({ workflowId, runId, url }: StartedManageAccess) => ({ workflowId, runId, url });

interface Taken {
  run: StartedManageAccess;
  followed: FollowedAccess;
  json: boolean;
  what: string;
}

/** Until when it is taken, and by when somebody else has to have looked at it. */
const tellTaken = async (
  terminal: Terminal,
  { run, followed, json, what }: Taken,
): Promise<void> => {
  const { progress } = followed;
  const review = reviewOf(await run.plan(), progress);
  const endsAtMs = progress?.endsAtMs;
  if (json) {
    printJson(terminal, { ...nameOf(run), endsAtMs, reviewDueAtMs: review?.dueAtMs, progress });
    return;
  }
  const change = changeNameOf(run.workflowId);
  const until = endsAtMs === undefined ? '' : ` until ${momentInWords(endsAtMs)}`;
  printLine(terminal, `${change}: you have ${what}${until}`);
  if (review !== undefined) {
    say(terminal, `${review.who} has to review it by ${momentInWords(review.dueAtMs)}:`);
    say(terminal, `  ${accessCommand('approve', change)}`);
  }
  say(terminal, `To give it back before: ${accessCommand('abort', change)}`);
};

/** The time for it runs from the moment at which the role was taken. */
const reviewOf = (
  plan: AccessPlan | null,
  progress: ManageAccessProgress | null,
): { who: string; dueAtMs: number } | undefined => {
  const takenAtMs = progress?.stages.find(({ name }) => name === 'granted until')?.startedAtMs;
  const { review } = plan ?? {};
  if (review === undefined || takenAtMs === undefined) return undefined;
  const { groups, withinMs } = review;
  const of = groups === undefined ? '' : ` of ${groups.join(' or ')}`;
  return { who: `Somebody else${of}`, dueAtMs: takenAtMs + withinMs };
};
