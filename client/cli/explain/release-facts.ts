import type {
  DeployServiceInput,
  DeployServiceProgress,
  DeployServiceResult,
} from '../../../contracts/delivery/deploy-service.ts';
import type { ServiceLockState } from '../../../contracts/delivery/service-lock.ts';
import type { ReleasePlan } from '../../delivery/release-plan.ts';
import type { PodObservation, RetriedActivity, WatchObservation } from '../../run-view.ts';
import type { CommandTarget } from '../command-lines.ts';

/** Who asked for something, and why. */
export type Identity = DeployServiceResult['evidence']['identities'][number];

export type Stage = DeployServiceProgress['stages'][number];

/** Everything that is known of a release at one moment; `null` where nothing said it. */
export interface ReleaseFacts {
  workflowId: string;
  name: CommandTarget;
  nowMs: number;
  startedAtMs: number;
  /** `null` while the run is open. */
  endedAtMs: number | null;
  /** Temporal's word for the run, e.g. `RUNNING`, `TERMINATED`. */
  executionStatus: string;
  progress: DeployServiceProgress | null;
  /** Why there is no progress. */
  silence: string | null;
  /** Coarse stage that the run told last; known without a worker. */
  lastStage: string | null;
  input: DeployServiceInput | null;
  plan: ReleasePlan | null;
  identities: readonly Identity[];
  lock: ServiceLockState | null;
  /** Stage of the release that has the lock, where that is another one. */
  holderStage: string | null;
  pods: PodObservation | null;
  counts: WatchObservation | null;
  retrying: readonly RetriedActivity[];
  /** Of a run that has ended. */
  result: DeployServiceResult | null;
  /** Why a run ended without a result. */
  refusal: { code: string; message: string; next: string } | null;
}

/** Facts of a run that gave an account of itself. */
export type ToldFacts = ReleaseFacts & { progress: DeployServiceProgress };

export const runningStage = ({ progress }: ToldFacts): Stage | undefined =>
  progress.stages.find(({ status }) => status === 'running');

export const lastBy = (
  { identities }: ReleaseFacts,
  actions: readonly string[],
): Identity | undefined => identities.findLast(({ action }) => actions.includes(action));

/** Who paused it, while it is paused. */
export const pausedBy = (facts: ReleaseFacts): Identity | undefined => {
  const last = lastBy(facts, ['pause', 'resume']);
  return last?.action === 'pause' ? last : undefined;
};

/** `Deployment/shop`, where the plan names one that comes back or stays. */
export const stableName = ({ plan }: ReleaseFacts): string => {
  const stable = plan?.candidate?.stable;
  return stable === undefined ? 'the old version' : `${stable.kind}/${stable.name}`;
};
