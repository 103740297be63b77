import { recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import type { Candidate, RolloutPhase } from '../../domain/delivery/candidate.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import { createDriver, refs, type DrivenRelease, type ReleaseSite } from './release-driver.ts';

export const blueGreen: RolloutStrategy = { type: 'blue-green', steps: [], retainMs: 0 };

export const phases: readonly RolloutPhase[] = ['stage', 'switch', 'update', 'return'];

type Change = DrivenRelease['plan']['changes'][number];

export const candidateOf = ({ plan }: DrivenRelease): Candidate => {
  if (plan.candidate === undefined) throw new Error('the plan has no candidate');
  return plan.candidate;
};

/** Steps with the part of the names that stands for the release left out. */
export const stepsOf = ({ plan }: DrivenRelease): string[] =>
  plan.changes.map(({ phase = 'no phase', step }) =>
    `${phase}: ${step}`.replace(/-[0-9a-f]{6}$/, '-SUFFIX').replace(/-[0-9a-f]{10}$/, '-HASH'),
  );

/** Drives a release phase by phase, as its workflow does. */
export const createCandidateDriver = (site: ReleaseSite) => {
  const driver = createDriver(site);
  const { target, awaitChange } = driver;

  const awaitServing = async (object: Change['object']) =>
    site.workloads.awaitRollout({
      ...target,
      object,
      generation: 0,
      deadlineMs: 30_000,
      stableMs: 0,
    });

  const awaitMove = async (services: string[], to: Change['object']): Promise<void> => {
    const { replicaSet, wantedReplicas: replicas } = await awaitServing(to);
    const request = { ...target, services, replicaSetUid: replicaSet.uid, replicas };
    await site.workloads.awaitEndpoints({ ...request, deadlineMs: 30_000 });
  };

  const write = async (driven: DrivenRelease, change: Change): Promise<void> => {
    if (change.action === 'keep') return;
    if (change.traffic !== undefined) await awaitServing(change.traffic.after);
    const { generation } = await site.releases.write({ ...driven.step, index: change.index });
    await awaitChange(change, generation);
    if (change.traffic !== undefined)
      await awaitMove(change.traffic.services, change.traffic.after);
  };

  /** Carries out the phases up to this one. */
  const forwardTo = async (driven: DrivenRelease, last: RolloutPhase): Promise<void> => {
    const wanted = phases.slice(0, phases.indexOf(last) + 1);
    for (const change of driven.plan.changes) {
      if (change.phase !== undefined && wanted.includes(change.phase)) await write(driven, change);
    }
  };

  /** Undoes everything under the next epoch, also what was never written. */
  const backAll = async (driven: DrivenRelease): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const change of driven.plan.changes.toReversed()) {
      if (change.action === 'keep') continue;
      const request = { ...driven.step, epoch: driven.step.epoch + 1, index: change.index };
      const { outcome, generation } = await site.releases.revert(request);
      outcomes.push(`${change.step}: ${outcome}`);
      if (change.action === 'patch') await awaitChange(change, generation);
    }
    return outcomes;
  };

  /** The rollout is over: what existed for its time is deleted under its own epoch. */
  const clearUp = async (driven: DrivenRelease): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const change of driven.plan.changes.toReversed()) {
      if (change.temporary !== true || change.action !== 'create') continue;
      const { outcome } = await site.releases.revert({ ...driven.step, index: change.index });
      outcomes.push(outcome);
    }
    return outcomes;
  };

  /** The value by which the Service chooses its pods. */
  const chosen = async (): Promise<string | undefined> =>
    stringAt(recordAt(await site.get(refs.service), 'spec', 'selector'), 'app');

  return { ...driver, awaitServing, write, forwardTo, backAll, clearUp, chosen };
};
