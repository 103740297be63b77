import type { DeployServiceProgress } from '../../../contracts/delivery/deploy-service.ts';
import type { Situation } from './explanation.ts';
import { pausedBy, runningStage, type ReleaseFacts, type ToldFacts } from './release-facts.ts';

const endedFromOutside: ReadonlySet<string> = new Set(['TERMINATED', 'TIMED_OUT', 'CANCELLED']);
const ended: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED']);

/** Which of the situations an operator meets a release is in. */
export const situationOf = (facts: ReleaseFacts): Situation => {
  const { executionStatus, progress } = facts;
  if (endedFromOutside.has(executionStatus)) return 'ended-from-outside';
  if (ended.has(executionStatus)) return 'finished';
  if (executionStatus === 'PAUSED') return 'paused-by-server';
  return progress === null ? 'silent' : toldSituation({ ...facts, progress });
};

const plainStatuses: Partial<Record<DeployServiceProgress['status'], Situation>> = {
  finished: 'finished',
  unwinding: 'unwinding',
  'needs-operator': 'needs-operator',
};

const toldSituation = (facts: ToldFacts): Situation => {
  const { progress } = facts;
  const plain = plainStatuses[progress.status];
  if (plain !== undefined) return plain;
  const stage = runningStage(facts)?.name;
  const waiting = waitingSituation(facts, stage);
  if (waiting !== undefined) return waiting;
  if (progress.status === 'paused' || pausedBy(facts) !== undefined) return 'paused';
  if (stage === undefined) return 'moving';
  if (isWatch(stage)) return 'watching';
  return checks.has(stage) ? 'checking' : 'moving';
};

const waitingSituation = (
  { progress: { waitingFor } }: ToldFacts,
  stage: string | undefined,
): Situation | undefined => {
  if (waitingFor === undefined) return undefined;
  if (waitingFor.planDigest !== undefined) return 'waiting-for-approval';
  if (stage === 'lock') return 'queued';
  if (waitingFor.verbs.includes('retryStep')) return 'undecided';
  if (!waitingFor.verbs.includes('promote')) return undefined;
  return waitingFor.verbs.includes('setWeight') ? 'held' : 'retaining';
};

/** A gate that watches the new version under traffic: a stop of the rollout, or the bake. */
export const isWatch = (stage: string): boolean =>
  stage === 'bake' || stage.startsWith('watch at ');

const checks: ReadonlySet<string> = new Set(['smoke', 'preview', 'verification']);
