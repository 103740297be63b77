import type { Candidate } from '../../domain/delivery/candidate.ts';
import { replicaShare, shareByPodsText, shareOfPods } from '../../domain/delivery/replica-share.ts';
import type { ReplicaShare } from '../../domain/delivery/replica-share.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import { finishWrite } from '../runtime/run-control.ts';
import type { Undo } from '../runtime/saga.ts';
import type { CandidateTask } from './carry-out.ts';
import { step } from './run-step.ts';
import { awaitServing } from './serving.ts';
import { measuredText, returnStage, shareNow, shiftStage } from './shift-traffic.ts';
import { isServing } from './unwind-release.ts';
import type { WayBack } from './unwind-release.ts';

export const podShareStep = 'share by pods';

/**
 * Gives the candidate a share of the pods, which is its share of the traffic where no router
 * makes it. Whoever gets more pods has them ready before the other one gives any away.
 */
export const shareByPods = async (task: CandidateTask, weightPercent: number): Promise<void> => {
  const { run, back, candidate } = task;
  const share = replicaShare({
    weightPercent,
    replicas: candidate.replicas,
    surges: candidate.byPods?.surges ?? false,
  });
  run.saga.record(
    { step: podShareStep, service: run.input.service },
    undoPodShare(back, candidate),
  );
  await step(run, { stage: shiftStage(weightPercent), found: 'shift' }, async () => {
    delete run.measuredPercent;
    await movePods(task, share);
    run.podShare = share;
    const measured = await measureOnce(task, share.achievedPercent);
    keepShare(task, { ...share, weightPercent });
    return { value: share, note: `${shareByPodsText(share)}, ${measuredText(measured)}` };
  });
};

/** Its first pods are behind the Services as soon as they are ready. */
export const showStagedPods = ({ run, prepared, candidate }: CandidateTask): void => {
  const { name } = candidate.workload;
  const activated = prepared.plan.changes.find(
    ({ action, object }) => action === 'activate' && object.name === name,
  );
  const pods = { candidate: activated?.rollout?.replicas ?? 0, stable: candidate.replicas };
  run.podShare = shareOfPods(pods);
};

const movePods = async (task: CandidateTask, share: ReplicaShare): Promise<void> => {
  const { candidate, run } = task;
  const toCandidate = { object: candidate.workload, replicas: share.candidate };
  const toStable = { object: candidate.stable, replicas: share.stable };
  const grows = share.candidate >= (run.podShare?.candidate ?? 0);
  for (const wanted of grows ? [toCandidate, toStable] : [toStable, toCandidate]) {
    await scaleTo(task, wanted);
    await awaitServing(run, wanted.object);
  }
};

const scaleTo = async (
  { run, prepared }: CandidateTask,
  { object, replicas }: { object: Candidate['workload']; replicas: number },
): Promise<void> => {
  await finishWrite(run.waits.writeGraceMs, () =>
    run.ports.workloads.scale(
      { ...prepared.forward, object, replicas },
      { summary: `${replicas} pods of ${object.name}` },
    ),
  );
};

/**
 * What the answers say of the share. It is shown and not judged: a Service spreads connections,
 * not requests, so that what is counted may be off where the pods are right.
 */
const measureOnce = async (
  task: CandidateTask,
  wantedPercent: number,
): Promise<number | undefined> => {
  const { run } = task;
  if (run.candidateVersion === undefined) return undefined;
  const seen = await shareNow(task, run.candidateVersion, wantedPercent);
  if (seen === undefined || seen === 'not-measured') return undefined;
  run.measuredPercent = seen.measuredPercent;
  return seen.measuredPercent;
};

const keepShare = (
  { run }: CandidateTask,
  { weightPercent, achievedPercent, candidate, stable }: ReplicaShare & { weightPercent: number },
): void => {
  const { measuredPercent } = run;
  run.evidence.shares = [
    ...(run.evidence.shares ?? []),
    {
      atMs: Date.now(),
      weightPercent,
      achievedPercent,
      candidatePods: candidate,
      stablePods: stable,
      ...(measuredPercent === undefined ? {} : { measuredPercent }),
    },
  ];
};

/** The updated workload has the traffic as soon as its pods are ready; the candidate's go. */
export const returnByPods = async (task: CandidateTask): Promise<void> => {
  const { run, candidate } = task;
  await step(run, { stage: returnStage, found: 'return' }, async () => {
    await awaitServing(run, candidate.stable);
    await scaleTo(task, { object: candidate.workload, replicas: 0 });
    delete run.measuredPercent;
    delete run.podShare;
    return { value: null, note: `all of it to ${candidate.stable.name}` };
  });
};

/** The stable pods are back and ready before the candidate gives up its own. */
export const undoPodShare =
  (back: WayBack, candidate: Candidate): Undo =>
  async (budgetMs) => {
    const { stable, workload, replicas } = candidate;
    const given = await scaleBack(back, { object: stable, replicas, budgetMs });
    await isServing(back, stable, budgetMs);
    const taken = await scaleBackUnlessGone(back, { object: workload, replicas: 0, budgetMs });
    if (!given && !taken) return { outcome: 'nothing-to-undo', note: '' };
    return { outcome: 'undone', note: `all traffic goes to ${stable.name}` };
  };

interface ScaleBack {
  object: Candidate['workload'];
  replicas: number;
  budgetMs: number;
}

const scaleBack = async (
  { ports, step: at }: WayBack,
  { object, replicas, budgetMs }: ScaleBack,
): Promise<boolean> => {
  const { changed } = await ports.workloads.scale(
    { ...at, object, replicas },
    { summary: `${replicas} pods of ${object.name} again`, scheduleToCloseMs: budgetMs },
  );
  return changed;
};

/** Someone may have deleted the candidate, or it never came up: nothing is left to take away. */
const scaleBackUnlessGone = async (back: WayBack, wanted: ScaleBack): Promise<boolean> => {
  try {
    return await scaleBack(back, wanted);
  } catch (error) {
    if (codedErrorOf(error).code !== 'FOREIGN_CHANGE') throw error;
    return false;
  }
};
