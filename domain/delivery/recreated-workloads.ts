import { changedWorkloads } from './candidate-draft.ts';
import type { CandidateProblem } from './candidate-refusals.ts';
import { numberAt, recordAt } from './canonical-json.ts';
import { describeRef, type KubernetesObject } from './kubernetes-object.ts';
import type { PlanEntry } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';
import type { RolloutStrategy } from './rollout-plan.ts';

const besideReason =
  'names its pods and keeps their volumes or nodes, so that there cannot be a second set of them';

/** Scaling it to nothing would take its data away. */
const losesVolumes = ({ before, after }: PlanEntry): boolean =>
  [before, after].some(
    (workload) =>
      recordAt(workload, 'spec', 'persistentVolumeClaimRetentionPolicy')['whenScaled'] === 'Delete',
  );

const misfit = (strategy: RolloutStrategy['type'], changed: PlanEntry): string | undefined => {
  const { kind } = changed.object;
  if (strategy === 'rolling') return undefined;
  if (strategy !== 'recreate') return kind === 'Deployment' ? undefined : besideReason;
  if (kind === 'DaemonSet') return 'has no number of replicas that could be set to 0';
  return losesVolumes(changed)
    ? 'deletes its volumes when it is scaled (/spec/persistentVolumeClaimRetentionPolicy/whenScaled)'
    : undefined;
};

/** Workloads whose pods change, and to which the strategy cannot be applied. */
export const strategyProblems = (
  strategy: RolloutStrategy['type'],
  entries: readonly PlanEntry[],
): CandidateProblem[] =>
  changedWorkloads(entries).flatMap((changed) => {
    const reason = misfit(strategy, changed);
    const message = `${reason ?? ''}: the strategy (type: ${strategy}) does not fit it`;
    return reason === undefined
      ? []
      : [{ code: 'INVALID_INPUT', subject: describeRef(changed.object), message }];
  });

/** Pods that the workload has now. The autoscaler's number is no part of what is compared. */
const liveReplicas = ({ before, autoscaledBefore, replicas }: PlanEntry): number =>
  autoscaledBefore ? replicas : (numberAt(before, 'spec', 'replicas') ?? 1);

const stopOf = (entry: PlanEntry & { before: KubernetesObject }): PlanEntry => ({
  ...entry,
  step: `stop ${describeRef(entry.object)}`,
  after: entry.autoscaledBefore ? entry.before : withReplicas(entry.before, 0),
  replicas: 0,
  phase: 'stop',
  ...(entry.autoscaledBefore ? { scale: { before: entry.replicas, after: 0 } } : {}),
});

const startOf = (entry: PlanEntry, stopped: PlanEntry): PlanEntry => ({
  ...entry,
  before: stopped.after,
  ...(entry.autoscaledBefore ? { scale: { before: 0, after: entry.replicas } } : {}),
});

/**
 * The plan of a release that never runs two versions at the same time: each workload whose pods
 * change is first scaled to nothing, and gets its new version together with its replicas. Read
 * backwards it is the way back. An autoscaler does nothing at 0 replicas.
 */
export const recreated = (
  entries: readonly PlanEntry[],
  plan: string,
): { entries: PlanEntry[]; warnings: string[] } => {
  const stopped = new Map<PlanEntry, PlanEntry>();
  for (const entry of changedWorkloads(entries)) {
    const { before } = entry;
    if (before === null || liveReplicas(entry) === 0) continue;
    stopped.set(entry, { ...stopOf({ ...entry, before }), chain: { plan, link: 1 } });
  }
  const rest = entries.map((entry) => {
    const stop = stopped.get(entry);
    return stop === undefined ? entry : { ...startOf(entry, stop), chain: { plan, link: 2 } };
  });
  const stops = [...stopped.values()];
  return {
    entries: [...stops, ...rest],
    warnings: stops.map(
      ({ object }) =>
        `${describeRef(object)} is interrupted: its pods are stopped before those of the new version start.`,
    ),
  };
};
