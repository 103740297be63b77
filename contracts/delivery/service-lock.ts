import type { CodedError } from '../errors.ts';
import type { Message } from '../messages.ts';
import type { DeployServiceInput } from './deploy-service.ts';
import type { RecordedAlerts } from '../../domain/delivery/alert-rules.ts';
import type { Candidate, RolloutPhase, TrafficMove } from '../../domain/delivery/candidate.ts';
import type { DrainRule } from '../../domain/delivery/drain.ts';
import type { ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import type { QueuePolicy } from '../../domain/delivery/service-lock.ts';
import type { UsedNonce } from '../../domain/security/command-log.ts';

/**
 * What a run and the entity workflow of its service say to each other about the
 * lock. Types only, so that workflows, the lock activity and the client share them.
 */

/** Input of the workflow `serviceEntity`; its id comes from `serviceEntityId`. */
export interface ServiceEntityInput {
  environment: string;
  service: string;
  /** State handed from one run of the entity to the next. */
  carried?: ServiceLockState;
}

/** How a release left the service. */
export type ReleaseOutcome =
  | 'deployed'
  | 'restored-exactly'
  | 'restored-with-exceptions'
  /** Nothing was touched. */
  | 'refused'
  /** The holder died and an operator took its state as good. */
  | 'adopted'
  /** The holder died and an operator freed the lock without looking back. */
  | 'left-as-is';

/** Signal `lockGranted` to the run: it holds the lock from now on. */
export interface LockGrant {
  requestId: string;
  /** Fence of all forward writes; the way back uses `epoch + 1`. */
  epoch: number;
  /** Manifest set of the last good release; absent on the first one. */
  previousManifestsDigest?: string;
  /** Releases whose config objects must stay, because someone may go back to them. */
  keepReleases: string[];
  /** Releases that were put back and must have left nothing behind. */
  unwoundReleases: string[];
}

/** Signal `lockRefused` to the run: its claim was dropped, because of an error or another claim. */
export interface LockRefusal {
  requestId: string;
  error: CodedError;
}

/** Signal `releaseLock` to the entity. Also takes a claim out of the queue. */
export interface LockRelease {
  requestId: string;
  release: string;
  outcome: ReleaseOutcome;
  manifestsDigest?: string;
  planDigest?: string;
  preImageDigest?: string;
}

/** One change, without its values: as much as is needed to undo it. */
export interface RestorableChange {
  index: number;
  step: string;
  object: ObjectRef;
  action: 'create' | 'activate' | 'patch' | 'keep';
  /** True where pods must be watched after the change. */
  rollout: boolean;
  /** Absent on a plan that updates everything in place. */
  phase?: RolloutPhase;
  /** Set where the change moves traffic. */
  traffic?: TrafficMove;
}

/** Signal `recordPlan` to the entity, acknowledged before the first write. */
export interface RestorablePlan {
  requestId: string;
  manifestsDigest: string;
  planDigest: string;
  preImageDigest: string;
  changes: RestorableChange[];
  /** The new version beside the stable one, where the release has one. */
  candidate?: Candidate;
  /** Where the release sets up alerts. */
  alerts?: RecordedAlerts;
  /** How long open connections get to end before pods go. */
  drain?: DrainRule;
  compensationDeadlineMs: number;
  stableMs: number;
  /** Who hears of it when the holder dies. */
  notify: DeployServiceInput['notify'];
}

/**
 * Signal `lockRetaining` to the entity: everything is new and verified, and the version before
 * is only kept. The holder ends that as soon as it hears that someone waits.
 */
export interface LockRetention {
  requestId: string;
}

/** Signal `lockWanted` to a holder that retains: it folds and gives the lock back. */
export interface LockWanted {
  /** The claim of the holder. */
  requestId: string;
  /** The release that waits. */
  release: string;
}

/** Update `resolveLock` on the entity, accepted while it is in `needs-operator`. */
export interface LockResolution extends Message {
  /**
   * `restore`: undo what the dead holder did. `adopt`: take what is there as the
   * good release. `release`: free the lock and leave everything as it is.
   */
  action: 'restore' | 'adopt' | 'release';
}

/** A run in the queue, or the holder. */
export interface LockHolder {
  requestId: string;
  workflowId: string;
  runId: string;
  release: string;
  epoch: number;
  queue?: QueuePolicy;
  /** What a restore would be made from; absent while nothing was written. */
  plan?: RestorablePlan;
  /** Set once it only keeps the version before. */
  isRetaining?: boolean;
  /** The release for which it was asked to end that. */
  wantedBy?: string;
  /** When it was noticed that it had ended without giving the lock back. */
  lostAtMs?: number;
}

export interface WaitingClaim {
  requestId: string;
  workflowId: string;
  runId: string;
  release: string;
  /** Absent: `wait`. */
  queue?: QueuePolicy;
}

export interface ReleaseRecord {
  release: string;
  outcome: ReleaseOutcome;
  epoch: number;
  manifestsDigest?: string;
  planDigest?: string;
  preImageDigest?: string;
  /** Who decided, where the holder had died. */
  decision?: LockDecision;
}

/** What an operator decided about a dead holder, as the evidence keeps it. */
export interface LockDecision {
  action: LockResolution['action'];
  actor: string;
  reason: string;
  /** How far it is proven who that was. */
  verification: string;
}

/** Answer of the query `state` on the entity, and what continue-as-new carries. */
export interface ServiceLockState {
  schemaVersion: 1;
  environment: string;
  service: string;
  status: 'free' | 'granting' | 'held' | 'restoring' | 'needs-operator';
  /** Why an operator is needed, and which verbs resolve it. */
  needsOperator?: { why: string; verbs: LockResolution['action'][] };
  /** Highest epoch that this entity ever gave out. */
  epoch: number;
  holder?: LockHolder;
  /** Who waits, the next one first. */
  queue: WaitingClaim[];
  /** Last good release; the next plan is made against it. */
  lastGood?: ReleaseRecord;
  /** The last releases, newest first. */
  releases: ReleaseRecord[];
  /** Releases that were put back, newest first. */
  unwoundReleases: string[];
  /** Unwound releases that were not swept since. */
  unsweptReleases: string[];
  /** Requests that are over: a late repeat of one must not queue again. */
  settledRequestIds: string[];
  /** Proofs of operators that were used and have not expired. */
  usedNonces?: UsedNonce[];
  timeoutProfile: 'standard' | 'test';
}
