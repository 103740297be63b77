import { patched } from '@temporalio/workflow';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import type { Undo } from '../runtime/saga.ts';
import {
  backReturn,
  raisedText,
  readyPodsPatch,
  returnByReadyPods,
} from './return-by-ready-pods.ts';
import { isServing } from './unwind-release.ts';
import type { WayBack } from './unwind-release.ts';

/**
 * Gives the stable workload everything, as fast as its ready pods can carry it; where the route
 * was never opened there is nothing to do. Weights that someone else set are left to the step that
 * closes the route, which takes the candidate out whatever they are.
 */
export const undoShift =
  (back: WayBack, candidate: Candidate): Undo =>
  async (budgetMs) => {
    const { opened, raised } = patched(readyPodsPatch)
      ? await weightsBack(back, candidate, budgetMs)
      : await weightBackAtOnce(back, candidate, budgetMs);
    if (!opened) return { outcome: 'nothing-to-undo', note: raised };
    back.kept.hadTraffic = true;
    return { outcome: 'undone', note: `all traffic goes to ${candidate.stable.name}${raised}` };
  };

/** Runs that began before one write could look for itself replay without it. */
const atOncePatch = 'return-at-once-if-carried';

interface WeightBack {
  /** False: the route does not know the candidate. */
  opened: boolean;
  /** For the reader, where the stable workload needed more pods. */
  raised: string;
}

const weightsBack = async (
  back: WayBack,
  candidate: Candidate,
  budgetMs: number,
): Promise<WeightBack> => {
  if (patched(atOncePatch)) {
    const weight = { weightPercent: 0, budgetMs, plannedPods: candidate.replicas };
    const { opened, tooFewPods } = await weightBack(back, candidate, weight);
    if (tooFewPods !== true) return { opened, raised: '' };
  }
  const seen = { opened: false };
  const returned = backReturn({ ...back, candidate }, budgetMs);
  const stable = await returnByReadyPods(returned, async (weightPercent) => {
    seen.opened = (await weightBack(back, candidate, { weightPercent, budgetMs })).opened;
    return seen.opened;
  });
  return { ...seen, raised: raisedText(stable) };
};

const weightBackAtOnce = async (
  back: WayBack,
  candidate: Candidate,
  budgetMs: number,
): Promise<WeightBack> => {
  await isServing(back, candidate.stable, budgetMs);
  const { opened } = await weightBack(back, candidate, { weightPercent: 0, budgetMs });
  return { opened, raised: '' };
};

interface WeightLeft {
  /** What the candidate keeps. */
  weightPercent: number;
  budgetMs: number;
  /** Set where the write is made only if the stable workload can carry everything. */
  plannedPods?: number;
}

const weightBack = async (
  { ports, step }: WayBack,
  candidate: Candidate,
  { budgetMs: deadlineMs, ...left }: WeightLeft,
): Promise<{ opened: boolean; tooFewPods?: true }> => {
  const isAll = left.weightPercent === 0;
  const part = isAll ? 'all' : `${100 - left.weightPercent} % of the`;
  try {
    return await ports.routes.setWeight(
      { ...step, candidate, ...left, ...(isAll ? {} : { onlyLess: true }), deadlineMs },
      { summary: `${part} traffic back to ${candidate.stable.name}`, waitMs: deadlineMs },
    );
  } catch (error) {
    if (codedErrorOf(error).code !== 'FOREIGN_CHANGE') throw error;
    return { opened: false };
  }
};
