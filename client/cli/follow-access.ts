import { errors } from '../../contracts/errors.ts';
import type {
  ManageAccessProgress,
  ManageAccessResult,
} from '../../contracts/security/manage-access.ts';
import { momentInWords } from '../../domain/security/effective-roles.ts';
import type { ManageAccessHandle, RunView } from '../index.ts';
import { changeNameOf } from '../security/manage-access.ts';
import { accessCommand } from './command-lines.ts';
import { stageEvents, statusEvents } from './narrate-run.ts';
import { renderAccess, type AccessScreen } from './render-access.ts';
import { endExitCode } from './release-result.ts';
import { exitCodes } from './report-error.ts';
import { printJson, printLine, say, type Terminal } from './terminal.ts';
import { watchRun, type FollowEnd, type FollowOptions, type RunTelling } from './watch-run.ts';

type Progress = ManageAccessProgress;

/** How far a change is followed. */
export type AccessGoal = 'end' | 'given' | 'settled';

/** What a change of access was when nobody followed it any more. */
export interface FollowedAccess {
  end: FollowEnd | 'reached';
  progress: Progress | null;
}

/** Roles with an end are given, and the run only waits to take them away again. */
const isGiven = ({ stages }: Progress): boolean =>
  stages.some(({ name, status }) => name === 'granted until' && status === 'running');

const goals: Record<AccessGoal, (progress: Progress) => boolean> = {
  end: () => false,
  given: isGiven,
  settled: (progress) => isGiven(progress) || progress.waitingFor !== undefined,
};

export const followAccess = async (
  terminal: Terminal,
  run: ManageAccessHandle,
  { goal, ...options }: FollowOptions<Progress> & { goal: AccessGoal },
): Promise<FollowedAccess> => {
  let last: Progress | null = null;
  const end = await watchRun(terminal, run, {
    ...options,
    telling: tellingOf(run),
    isReached: goals[goal],
    onView: (view) => {
      last = view.progress ?? last;
      options.onView?.(view);
    },
  });
  return { end, progress: last };
};

const tellingOf = (run: ManageAccessHandle): RunTelling<Progress> => ({
  tree: (view, canvas) => renderAccess(accessScreen(run, view), canvas),
  events: narrateAccess,
});

/** What is shown of a view. */
export const accessScreen = (run: ManageAccessHandle, view: RunView<Progress>): AccessScreen => ({
  change: changeNameOf(run.workflowId),
  progress: view.progress,
  silence: view.silence?.message ?? null,
  retrying: view.retrying,
  url: run.url ?? null,
  executionStatus: view.executionStatus,
});

/** What happened between two looks, a line for each event. */
export const narrateAccess = (before: Progress | null, now: Progress): string[] => [
  ...stageEvents(before, now),
  ...now.targets
    .filter(({ target, state, note }) => {
      const known = before?.targets.find((other) => other.target === target);
      return state !== 'pending' && (known?.state !== state || known.note !== note);
    })
    .map(
      ({ target, state, note }) => `target ${target}: ${state}${note === '' ? '' : `, ${note}`}`,
    ),
  ...statusEvents(before, now),
];

const badOutcomes: Partial<Record<ManageAccessResult['outcome'], number>> = {
  'put-back': exitCodes.rolledBack,
  'not-certified': exitCodes.rolledBack,
  // A target still has not what the roles say: that stays for somebody to mend.
  partial: errors.COMPENSATION_FAILED.exitCode,
};

export const accessExitCode = ({ outcome }: Pick<ManageAccessResult, 'outcome'>): number =>
  badOutcomes[outcome] ?? exitCodes.ok;

/** Prints how a change ended, and answers the exit code. */
export const tellAccessResult = (
  terminal: Terminal,
  { run, result, json }: { run: ManageAccessHandle; result: ManageAccessResult; json: boolean },
): number => {
  if (json) {
    printJson(terminal, { workflowId: run.workflowId, runId: run.runId, url: run.url, ...result });
    return accessExitCode(result);
  }
  printLine(terminal, `${run.workflowId}: ${result.outcome.replaceAll('-', ' ')}`);
  for (const grant of result.removed) printLine(terminal, `− ${grant}`);
  for (const grant of result.given) printLine(terminal, `+ ${grant}`);
  for (const { target, state, note } of result.targets) {
    printLine(terminal, `${target}: ${state}${note === '' ? '' : `, ${note}`}`);
  }
  tellFailure(terminal, result);
  return accessExitCode(result);
};

const tellFailure = (terminal: Terminal, { failure }: ManageAccessResult): void => {
  if (failure === undefined) return;
  say(terminal, `${failure.code}: ${failure.message}`, 'bad');
  if (failure.next !== undefined) say(terminal, `next: ${failure.next}`);
};

/** What a person can do about a change that nobody follows any more; and the exit code. */
export const tellAccessLeft = (
  terminal: Terminal,
  run: ManageAccessHandle,
  { end, progress }: FollowedAccess,
): number => {
  const change = changeNameOf(run.workflowId);
  if (end === 'reached' || end === 'needs-operator') tellWaiting(terminal, change, progress);
  else say(terminal, 'The change goes on without this command.');
  say(terminal, `follow it: holdfast access get ${change} --watch`);
  if (end === 'reached')
    return waitsForApproval(progress) ? exitCodes.waitsForApproval : exitCodes.ok;
  return end === 'ended' ? exitCodes.ok : endExitCode(end);
};

const waitsForApproval = (progress: Progress | null): boolean =>
  progress !== null &&
  !isGiven(progress) &&
  progress.waitingFor?.verbs.includes('approve') === true;

const tellWaiting = (terminal: Terminal, change: string, progress: Progress | null): void => {
  const { waitingFor, endsAtMs } = progress ?? {};
  if (progress === null || waitingFor === undefined) return;
  const { what, verbs, deadlineAtMs } = waitingFor;
  const until = deadlineAtMs === undefined ? '' : `, until ${momentInWords(deadlineAtMs)}`;
  if (isGiven(progress) && endsAtMs !== undefined) {
    say(terminal, `It is given until ${momentInWords(endsAtMs)}, and ends by itself. Before that:`);
  } else {
    say(terminal, `It waits for ${what}${until}:`);
  }
  for (const verb of verbs) say(terminal, `  ${accessCommand(verb, change)}`);
};
