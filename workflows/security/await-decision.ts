import { condition } from '@temporalio/workflow';
import type { OpenApproval, WantedApproval } from '../../domain/security/approval.ts';
import { waitingText } from '../runtime/approval-messages.ts';
import { announce } from './access-run.ts';
import type { AccessRun } from './access-run.ts';

export interface WantedDecision {
  name: string;
  planDigest: string;
  wanted: WantedApproval & { withinMs: number };
}

/** From now on people can decide; the deadline is counted from here. */
export const openDecision = (
  run: AccessRun,
  { name, planDigest, wanted }: WantedDecision,
): OpenApproval & { deadlineAtMs: number } => {
  const { withinMs, quorum, groups } = wanted;
  const open = {
    ...{ name, planDigest, given: [] },
    wanted: {
      ...(quorum === undefined ? {} : { quorum }),
      ...(groups === undefined ? {} : { groups }),
    },
    deadlineAtMs: Date.now() + withinMs,
  };
  run.approval = open;
  return open;
};

/** Waits for a decision until its deadline; undefined where nobody decided in time, or it was stopped. */
export const awaitDecision = async (
  run: AccessRun,
  open: OpenApproval & { deadlineAtMs: number },
): Promise<OpenApproval['decision']> => {
  const { name, deadlineAtMs, planDigest } = open;
  run.state.status = 'waiting';
  run.state.waitingFor = {
    what: waitingText(open),
    verbs: ['approve', 'reject', ...(run.isStoppable ? ['abort'] : [])],
    ...{ deadlineAtMs, planDigest },
  };
  run.show();
  void announce(run, 'approval-wanted', `${run.change.change}: ${waitingText(open)}`);
  const leftMs = Math.max(1, deadlineAtMs - Date.now());
  await condition(() => open.decision !== undefined || run.stopped !== undefined, leftMs, {
    summary: `decision ${name} is due`,
  });
  delete run.state.waitingFor;
  run.state.status = 'running';
  run.show();
  return open.decision;
};
