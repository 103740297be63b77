import { sleep } from '@temporalio/workflow';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { drainedText, drainLook, nextDrainStep } from '../../domain/delivery/drain.ts';
import type { Drained, DrainLook, DrainRule } from '../../domain/delivery/drain.ts';
import { filledIn } from '../../domain/delivery/metric-query.ts';
import type { QueryNames } from '../../domain/delivery/metric-query.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import type { Ports } from '../runtime/ports.ts';
import { queryNamesOf } from './query-names.ts';
import type { ReleaseRun } from './release-run.ts';
import { step } from './run-step.ts';

export const drainStages = {
  stable: 'drain the old version',
  candidate: 'drain the candidate',
} as const;

/** What a drain needs, on the way forward and on the way back. */
export interface Draining {
  ports: Pick<Ports, 'metrics'>;
  rule: DrainRule;
  names: QueryNames;
}

/** Waits until the connections of a workload that has no traffic any more ended, or for the limit. */
export const drain = async (draining: Draining, workload: string): Promise<Drained> => {
  const { rule } = draining;
  const beganAtMs = Date.now();
  for (;;) {
    const look = await lookNow(draining, workload);
    const waitedMs = Date.now() - beganAtMs;
    const next = nextDrainStep(rule, { look, waitedMs });
    if (next.act === 'end') return { workload, waitedMs, connectionsCut: next.connectionsCut };
    await sleep(next.forMs, { summary: `connections of ${workload} end` });
  }
};

/** A source that does not answer must not hold up a release: then it is not measured. */
const lookNow = async ({ ports, rule, names }: Draining, workload: string): Promise<DrainLook> => {
  if (rule.openConnections === undefined) return { unknown: 'no query is given' };
  const query = filledIn(rule.openConnections, { ...names, workload });
  try {
    const outcome = await ports.metrics.query(
      { environment: names.environment, query },
      { summary: `open connections of ${workload}`, scheduleToCloseMs: longestAnswerMs },
    );
    return drainLook(outcome);
  } catch (error) {
    return { unknown: codedErrorOf(error).message };
  }
};

const longestAnswerMs = 15_000;

/** A stage of its own, where the release asks for it. */
export const drainStage = async (
  run: ReleaseRun,
  candidate: Candidate,
  side: keyof typeof drainStages,
): Promise<void> => {
  const { drain: rule } = run.input;
  if (rule === undefined || candidate.byPods !== undefined) return;
  const { name } = side === 'stable' ? candidate.stable : candidate.workload;
  const draining = { ports: run.ports, rule, names: queryNamesOf(run) };
  await step(run, { stage: drainStages[side], found: 'drain', skippable: true }, async () => {
    const drained = await drain(draining, name);
    run.evidence.drains = [...(run.evidence.drains ?? []), drained];
    return { value: drained, note: drainedText(drained) };
  });
};
