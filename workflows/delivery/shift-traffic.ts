import { patched } from '@temporalio/workflow';
import { judgeShare, samplesOf } from '../../domain/delivery/traffic-share.ts';
import type { ShareVerdict } from '../../domain/delivery/traffic-share.ts';
import { codedFailure } from '../runtime/failures.ts';
import { finishWrite } from '../runtime/run-control.ts';
import type { CandidateTask } from './carry-out.ts';
import { countExposure, openExposure } from './exposure-budget.ts';
import { forwardReturn, readyPodsPatch, returnByReadyPods } from './return-by-ready-pods.ts';
import { step } from './run-step.ts';
import { awaitServing } from './serving.ts';
import { undoShift } from './undo-shift.ts';
import { usersTarget } from './verify-release.ts';

export const shiftStage = (weightPercent: number): string => `shift to ${weightPercent} %`;

export const returnStage = 'return the traffic';

/**
 * Gives the candidate a share of the traffic: enough ready pods first, then the weights, then
 * the answers are counted, because what the API accepted is not what the gateway does.
 */
export const shiftTraffic = async (task: CandidateTask, weightPercent: number): Promise<void> => {
  const { run, back, candidate } = task;
  run.saga.record(
    { step: `shift ${candidate.route ?? ''}`, service: run.input.service },
    undoShift(back, candidate),
  );
  await step(run, { stage: shiftStage(weightPercent), found: 'shift' }, async () => {
    await scaleFor(task, weightPercent);
    await awaitServing(run, candidate.workload);
    openExposure(run);
    await writeWeight(task, weightPercent);
    const share = await measureShare(task, weightPercent);
    return { value: share, note: noteOf(share, weightPercent) };
  });
};

/**
 * The updated workload takes the traffic back from the candidate. Both run the new version, so
 * that no answer tells them apart; that every request is answered is what counts.
 */
export const returnTraffic = async (task: CandidateTask): Promise<void> => {
  const { run, candidate } = task;
  await step(run, { stage: returnStage, found: 'return' }, async () => {
    await awaitServing(run, candidate.stable);
    await giveBack(task);
    delete run.measuredPercent;
    return { value: null, note: `all of it to ${candidate.stable.name}` };
  });
};

const giveBack = async (task: CandidateTask): Promise<void> => {
  const { run, prepared, candidate } = task;
  if (!patched(readyPodsPatch)) return writeWeight(task, 0);
  await returnByReadyPods(forwardReturn(run, prepared, candidate), async (weightPercent) => {
    await writeWeight(task, weightPercent);
    return true;
  });
};

/** Pods for the share, never fewer than there are. */
export const scaleFor = async (
  { run, prepared, candidate }: CandidateTask,
  weightPercent: number,
): Promise<void> => {
  const needed = Math.max(1, Math.ceil((weightPercent * candidate.replicas) / 100));
  const { scaledTo = 0 } = run;
  if (run.input.strategy.type !== 'canary' || needed <= scaledTo) return;
  const { workload } = candidate;
  await finishWrite(run.waits.writeGraceMs, () =>
    run.ports.workloads.scale(
      { ...prepared.forward, object: workload, replicas: needed },
      { summary: `${needed} pods of ${workload.name} for ${weightPercent} %` },
    ),
  );
  run.scaledTo = needed;
};

const writeWeight = async (
  { run, prepared, candidate }: CandidateTask,
  weightPercent: number,
): Promise<void> => {
  const { shiftDeadlineMs: deadlineMs } = run.waits;
  const { opened } = await finishWrite(run.waits.writeGraceMs, () =>
    run.ports.routes.setWeight(
      { ...prepared.forward, candidate, weightPercent, deadlineMs },
      { summary: `${weightPercent} % to ${candidate.workload.name}`, waitMs: deadlineMs },
    ),
  );
  if (!opened) {
    throw codedFailure({
      code: 'FOREIGN_CHANGE',
      message: `The route ${candidate.route ?? ''} does not know ${candidate.workload.name} any more; someone else changed or deleted it.`,
      subject: candidate.route ?? '',
    });
  }
};

/** Requests of one measurement: enough for a share to be right to five points. */
const sharedSample = { requestsPerSecond: 250, windowMs: 2_000 };
const mostMeasurements = 10;

/** Counts answers by version until they follow the weight; undefined where nobody can tell. */
const measureShare = async (
  task: CandidateTask,
  weightPercent: number,
): Promise<ShareVerdict | undefined> => {
  const { run, candidate } = task;
  delete run.measuredPercent;
  if (run.candidateVersion === undefined) return undefined;
  let last: ShareVerdict | undefined;
  for (let made = 0; made < mostMeasurements; made += 1) {
    const share = await shareNow(task, run.candidateVersion, weightPercent);
    if (share === 'not-measured') return undefined;
    last = share ?? last;
    if (share?.follows !== true) continue;
    run.measuredPercent = share.measuredPercent;
    return share;
  }
  const seen = last === undefined ? 'nothing answered' : `${last.measuredPercent} % was measured`;
  throw codedFailure({
    code: 'SHARE_NOT_REACHED',
    message: `The traffic does not follow the weight: ${weightPercent} % was set, ${seen}.`,
    subject: candidate.route ?? '',
  });
};

export const shareNow = async (
  { run, prepared, candidate }: CandidateTask,
  version: string,
  weightPercent: number,
): Promise<ShareVerdict | 'not-measured' | undefined> => {
  const path = run.input.bake?.path ?? '/';
  // A Service gives each connection, not each request, to one of the pods.
  const connections = candidate.byPods === undefined ? {} : { newConnectionPercent: 100 };
  const request = { ...usersTarget(run, prepared), path, ...sharedSample, ...connections };
  const outcome = await run.ports.probes.watch(
    { ...request, stopAtFailures: Number.MAX_SAFE_INTEGER },
    { summary: `measure the share at ${weightPercent} %`, waitMs: sharedSample.windowMs },
  );
  if (!outcome.measured) return 'not-measured';
  countExposure(run, samplesOf(outcome.counts.versions ?? [], version));
  return judgeShare(outcome.counts.versions ?? [], { version, weightPercent });
};

export const measuredText = (measuredPercent: number | undefined): string =>
  measuredPercent === undefined ? 'the share is not measured' : `${measuredPercent} % measured`;

const noteOf = (share: ShareVerdict | undefined, weightPercent: number): string =>
  `${weightPercent} % set, ${measuredText(share?.measuredPercent)}`;
