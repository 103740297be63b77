import { condition } from '@temporalio/workflow';
import type { AccessPlan } from '../../activities/identity/port.ts';
import type { OpenApproval } from '../../domain/security/approval.ts';
import { announce, begin, end } from './access-run.ts';
import type { AccessRun } from './access-run.ts';
import { awaitDecision, openDecision } from './await-decision.ts';
import { takeBack } from './propagate.ts';

/** Waits until what was given ends, or somebody ends it, and takes it away everywhere. */
export const endOfGrants = async (run: AccessRun, forMs: number): Promise<void> => {
  begin(run, 'granted until', 'granted');
  const endsAtMs = Date.now() + forMs;
  run.state.endsAtMs = endsAtMs;
  run.isStoppable = true;
  run.state.status = 'waiting';
  run.state.waitingFor = {
    what: `the end of what was given, at ${new Date(endsAtMs).toISOString()}`,
    verbs: ['abort', ...(run.approval === undefined ? [] : ['approve', 'reject'])],
    deadlineAtMs: endsAtMs,
    ...(run.approval === undefined ? {} : { planDigest: run.approval.planDigest }),
  };
  run.show();
  await condition(() => run.stopped !== undefined, forMs, { summary: 'what was given ends' });
  run.isStoppable = false;
  delete run.state.waitingFor;
  run.state.status = 'running';
  end(run, 'granted until', { note: run.stopped ?? 'its time is over' });
  await takeBack(run, 'end', 'end');
};

type OpenReview = OpenApproval & { deadlineAtMs: number };

/** From now on somebody else can look at what was taken by breaking glass. */
export const openReview = (run: AccessRun, { planDigest, review }: AccessPlan): OpenReview => {
  void announce(run, 'approval-wanted', `${run.change.change}: a role was taken by breaking glass`);
  return openDecision(run, {
    ...{ name: 'review', planDigest },
    wanted: review ?? { withinMs: 0 },
  });
};

/** Until somebody has looked at it, it is not over. */
export const awaitReview = async (run: AccessRun, open: OpenReview): Promise<void> => {
  begin(run, 'review', 'review');
  // What ended the grants does not keep anybody from looking at them.
  delete run.stopped;
  if (open.decision === undefined) await awaitDecision(run, open);
  const wasLate = open.decision === undefined;
  if (wasLate) await overdue(run, open);
  delete run.approval;
  const { approved = false, by = '' } = open.decision ?? {};
  run.review = { by, inOrder: approved, wasLate };
  end(run, 'review', { status: approved ? 'done' : 'failed', note: by });
};

const overdue = async (run: AccessRun, open: OpenReview): Promise<void> => {
  const { planDigest } = open;
  run.state.status = 'needs-operator';
  run.state.waitingFor = {
    what: `the review that was due at ${new Date(open.deadlineAtMs).toISOString()}`,
    ...{ verbs: ['approve', 'reject'], planDigest },
  };
  run.show();
  void announce(
    run,
    'access.review-overdue',
    `${run.change.change}: nobody has reviewed what was taken by breaking glass`,
  );
  await condition(() => open.decision !== undefined);
  delete run.state.waitingFor;
  run.state.status = 'running';
};
