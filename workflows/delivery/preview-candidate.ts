import { checksGate, isPath } from './check-gates.ts';
import type { CandidateTask } from './carry-out.ts';
import { step } from './run-step.ts';
import { usersTarget } from './verify-release.ts';

const pinnedStage = 'preview route';

export const previewStages = (isPinned: boolean): string[] =>
  isPinned ? ['preview', pinnedStage, 'preview by header'] : ['preview'];

/** Checks the candidate through its preview Service, and on the way of users by the header. */
export const previewCandidate = async (task: CandidateTask): Promise<void> => {
  const { run, prepared, candidate } = task;
  const checks = run.input.smoke;
  const target = usersTarget(run, prepared);
  const direct = { ...target, services: candidate.preview, entry: 'preview' as const };
  await checksGate(run, { name: 'preview', target: direct, checks, prepared });
  const { pinned } = candidate;
  if (pinned === undefined) return;
  await awaitPreviewRoute(task, pinned);
  await checksGate(run, {
    name: 'preview by header',
    target: { ...target, pinnedBy: pinned.header },
    // Commands and Jobs do not go the way of users.
    checks: checks.filter(isPath),
    prepared,
    // Until the gateway goes by the route, the old version answers.
    version: run.candidateVersion,
  });
};

/** The activity says itself what is missing; only then is it ended. */
const graceMs = 5_000;

const awaitPreviewRoute = async (
  { run }: CandidateTask,
  { route, header }: NonNullable<CandidateTask['candidate']['pinned']>,
): Promise<void> => {
  const { environment, service } = run.input;
  const { shiftDeadlineMs: deadlineMs } = run.waits;
  await step(run, { stage: pinnedStage, found: 'verify', skippable: true }, async () => {
    await run.ports.routes.awaitTaken(
      { environment, service, route, deadlineMs },
      {
        summary: `wait until ${route.name} is taken`,
        waitMs: deadlineMs,
        scheduleToCloseMs: deadlineMs + graceMs,
      },
    );
    return { value: null, note: `${header.name}: ${header.value} reaches the new version` };
  });
};
