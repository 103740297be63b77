import type { Candidate, RolloutPhase, TrafficMove } from '../../domain/delivery/candidate.ts';
import type { ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import type { PreviewHeader } from '../../domain/delivery/preview-route.ts';
import type { Proof } from '../../domain/delivery/proof.ts';
import type { RolloutStrategy } from '../../domain/delivery/rollout-plan.ts';
import type { Warrant } from '../../domain/security/warrant.ts';

/** Names the service whose objects are meant; the worker maps it to a cluster and namespace. */
export interface ServiceTarget {
  environment: string;
  service: string;
}

/** How one object changes; the values are in the stored plan, never in history. */
export interface PlannedChange {
  /** Position in the plan: the order of writing. */
  index: number;
  /** Unique in the plan and readable, e.g. `patch Deployment/shop`. */
  step: string;
  object: ObjectRef;
  /**
   * `create`: does not exist yet; workloads that have replicas are born with 0.
   * `activate`: gives a workload that this plan creates its replicas.
   * `patch`: exists and changes. `keep`: exists and already is as wanted.
   */
  action: 'create' | 'activate' | 'patch' | 'keep';
  /** Changed fields as JSON pointers with short values; values of Secrets are `(secret)`. */
  fields: { path: string; before: string; after: string }[];
  /** On workloads, to be watched; `services` of the plan select pods of this one and of no other. */
  rollout?: {
    replicas: number;
    progressDeadlineMs: number;
    minReadyMs: number;
    services: string[];
  };
  /** Absent where everything is updated in place. */
  phase?: RolloutPhase;
  /** Exists for the time of the rollout only; deleted when it is over. */
  temporary?: boolean;
  /** Set where the change moves traffic: who serves the Services before it and after it. */
  traffic?: TrafficMove;
}

export interface PlanRequest extends ServiceTarget {
  release: string;
  /** Digest of the manifest set in the blob store. */
  manifestsDigest: string;
  /** Manifest set of the last good release: what it had and the new one has not is removed. */
  previousManifestsDigest?: string;
  /** Take over objects that Helm, Argo CD or Flux manage. */
  adopt: boolean;
  epoch: number;
  /** Default: rolling. */
  strategy?: RolloutStrategy;
  /** Requests with it reach the new version while it is beside the old one. */
  previewHeader?: PreviewHeader;
}

export interface ReleasePlan {
  /** sha256 of the stored plan; approvals are bound to it. */
  planDigest: string;
  changes: PlannedChange[];
  /** Sentences for the reader of the plan, e.g. that nothing is removed on adoption. */
  warnings: string[];
  /** Images by container with the digest or tag that will run. */
  images: { container: string; image: string }[];
  /** Services whose endpoints must belong to the new version, with the port to probe. */
  services: { name: string; port: number }[];
  /** Set where the strategy brings the new version up beside the old one, and there is one. */
  candidate?: Candidate;
}

/** A stored plan, and the epoch under which it is carried out. */
export interface PlanStep extends ServiceTarget {
  release: string;
  planDigest: string;
  epoch: number;
  /** With a write; workers that know who may do what refuse one that is not asked for and approved. */
  warrant?: Warrant;
}

export interface WriteReceipt {
  /** `already-written`: an earlier attempt took effect; nothing was sent. */
  outcome: 'written' | 'already-written' | 'nothing-to-do';
  uid: string;
  generation: number;
}

export interface RevertReceipt {
  /** `nothing-to-undo`: the step had not taken effect; the fence was raised all the same. */
  outcome: 'reverted' | 'deleted' | 'nothing-to-undo' | 'foreign-change-preserved' | 'recreated';
  /** JSON pointers of foreign changes that were kept. */
  foreignFields: string[];
  generation: number;
}

/**
 * The exact writes of one release. Every write is guarded by the uid, the fence
 * and the old values of what it changes, and finds out by itself whether an
 * earlier attempt already took effect. Activity types are `releases.<verb>`.
 */
export interface Releases {
  /**
   * Reads, resolves and dry-runs everything forward and back; writes nothing to the cluster.
   * @throws INVALID_INPUT, MANIFEST_*, READINESS_UNPROVABLE, ENVIRONMENT_UNKNOWN, CLUSTER_MISMATCH,
   * NAMESPACE_MISSING, PERMISSION_MISSING, OBJECT_HELD, OBJECT_OWNED_ELSEWHERE, IMMUTABLE_CHANGE
   */
  plan(request: PlanRequest): Promise<ReleasePlan>;
  /**
   * Stores the pre-image of every object of the plan, encrypted.
   * @throws PLAN_STALE if an object is no longer what the plan was made from.
   */
  capture(request: PlanStep): Promise<{ preImageDigest: string }>;
  /** Carries out one change of the plan. @throws FENCED, FOREIGN_CHANGE, QUOTA_EXCEEDED */
  write(request: PlanStep & { preImageDigest: string; index: number }): Promise<WriteReceipt>;
  /** Undoes one change exactly, or keeps and lists what others changed meanwhile. @throws FENCED */
  revert(request: PlanStep & { preImageDigest: string; index: number }): Promise<RevertReceipt>;
  /** Compares every object with what it must be; reads only. */
  prove(
    request: PlanStep & { preImageDigest: string; direction: Proof['direction'] },
  ): Promise<Proof>;
  /**
   * Deletes, by uid, what releases of this service created and nothing needs any more: config objects
   * without references, Jobs that were run as checks, and what `unwoundReleases` left behind.
   */
  prune(
    request: ServiceTarget & {
      epoch: number;
      keepReleases: string[];
      unwoundReleases: string[];
    },
  ): Promise<{ deleted: ObjectRef[] }>;
  /** The highest fence on any live object of the service; 0 when there is none. */
  highestFence(request: ServiceTarget): Promise<{ fence: number }>;
}

export interface RolloutObservation {
  generation: number;
  /**
   * What owns the pods of the version: the ReplicaSet of a Deployment. A StatefulSet or DaemonSet
   * owns them itself; then it is its uid, with the name of the ControllerRevision.
   */
  replicaSet: { name: string; uid: string };
  wantedReplicas: number;
  readyReplicas: number;
  /** One line for each pod that is not ready, with its reason. */
  pods: { name: string; ready: boolean; reason: string }[];
}

export interface RolloutRequest extends ServiceTarget {
  object: ObjectRef;
  /** Generation that the write returned; an older observation does not count. */
  generation: number;
  /** After this time without becoming ready it is ROLLOUT_DEADLINE. */
  deadlineMs: number;
  /** The pods must stay ready, without a restart, for this long. */
  stableMs: number;
  /**
   * On the way back of a StatefulSet, its epoch: pods of another version that are not ready are
   * deleted by uid, because Kubernetes itself would wait for them for ever.
   */
  forceEpoch?: number;
  /** Answers when this many pods are ready too, whatever else is missing or fails; 0 only looks. */
  leastReady?: number;
}

/** Watching and steering of the pods behind a workload. Activity types are `workloads.<verb>`. */
export interface Workloads {
  /**
   * Waits until the rollout is complete and stable. Heartbeats its observation.
   * @throws ROLLOUT_FAILED, IMAGE_UNAVAILABLE, QUOTA_EXCEEDED (as soon as seen), ROLLOUT_DEADLINE;
   * each with the reason and the last log lines of the failing container.
   */
  awaitRollout(request: RolloutRequest): Promise<RolloutObservation>;
  /** Waits until every ready endpoint of the Services belongs to the ReplicaSet. */
  awaitEndpoints(
    request: ServiceTarget & {
      services: string[];
      replicaSetUid: string;
      replicas: number;
      deadlineMs: number;
    },
  ): Promise<{ endpoints: number }>;
  /**
   * Stops or continues a rolling update by a fenced write: `spec.paused` of a Deployment, the
   * partition of a StatefulSet, the type of the update strategy of a DaemonSet.
   */
  setPaused(
    request: ServiceTarget & { object: ObjectRef; paused: boolean; epoch: number },
  ): Promise<{ changed: boolean }>;
  /**
   * Gives a workload this many pods, and waits for nothing: one that this release created, or the
   * user's own while pods make the share; else that is only raised, to carry the traffic again.
   * @throws FENCED, FOREIGN_CHANGE if someone else scaled or replaced it
   */
  scale(request: PlanStep & { object: ObjectRef; replicas: number }): Promise<{
    changed: boolean;
    generation: number;
  }>;
  /** Keeps the logs of the pods of a failed release in the blob store; best effort, bounded. */
  keepLogs(
    request: PlanStep & { object: ObjectRef; preImageDigest: string },
  ): Promise<{ logsDigest: string | null; lines: number }>;
  /** Deletes, by uid, the revision that a failed release left: `rollout undo` cannot bring it back. */
  retire(
    request: PlanStep & { object: ObjectRef; preImageDigest: string },
  ): Promise<{ deleted: string[] }>;
}

/** Sharing the traffic of an HTTPRoute between two Services. Activity types are `routes.<verb>`. */
export interface Routes {
  /**
   * Gives the candidate this share of every rule that was opened for it, and waits until each
   * parent of the route has taken the change. `opened: false`: the route does not know the
   * candidate, nothing was written. With `onlyLess` a smaller share stays. `plannedPods`, as many
   * as all traffic needs: only where the ready stable pods carry it, else `tooFewPods`.
   * @throws FENCED, FOREIGN_CHANGE if someone else changed the weights, ROUTE_NOT_ACCEPTED
   */
  setWeight(
    request: PlanStep & {
      candidate: Candidate;
      weightPercent: number;
      onlyLess?: boolean;
      plannedPods?: number;
      deadlineMs: number;
    },
  ): Promise<{ opened: boolean; changed: boolean; generation: number; tooFewPods?: true }>;
  /** Waits until each parent has taken the route as it is now. @throws ROUTE_NOT_ACCEPTED */
  awaitTaken(
    request: ServiceTarget & { route: ObjectRef; deadlineMs: number },
  ): Promise<{ generation: number }>;
}

/** A Job of the user, as raw JSON. */
export type JobManifest = Record<string, unknown> & { metadata: { name: string } };

/** A Job that is run for one check of a release. */
export interface JobRun extends PlanStep {
  /** Manifests of the release: the Job reads the config objects as its pods do. */
  manifestsDigest: string;
  job: JobManifest;
  /** Names this run of it: the same Job is found again under it, another one gets another name. */
  key: string;
}

/** What a check needs of the cluster. Activity types are `checks.<verb>`. */
export interface Checks {
  /**
   * What is wrong with checks, by field, before anything depends on them; reads and dry-runs only.
   * @throws PERMISSION_MISSING
   */
  validate(
    request: ServiceTarget & {
      release: string;
      jobs: { field: string; job: JobManifest }[];
      /** Whether commands are run in pods. */
      exec: boolean;
    },
  ): Promise<{ field: string; reason: string }[]>;
  /**
   * Runs a command in a ready pod of the workload's active version. `measured: false`: the
   * environment declares that its pods carry no traffic, so that nothing runs in them.
   * @throws NO_DATA where there is no ready pod
   */
  exec(
    request: ServiceTarget & {
      object: ObjectRef;
      command: string[];
      container?: string;
      timeoutMs: number;
    },
  ): Promise<
    | { measured: false; reason: string }
    | {
        measured: true;
        pod: string;
        /** Null where it did not end in time or could not be started. */
        exitCode: number | null;
        /** The end of what it wrote, shortened. */
        answer: string;
        outputDigest: string | null;
      }
  >;
  /**
   * Creates the Job unless it is there, and waits until it is complete or failed. It stays, so
   * that its end is on record before it goes.
   * @throws FOREIGN_CHANGE where something else has its name
   */
  runJob(request: JobRun & { deadlineMs: number }): Promise<{
    end: 'complete' | 'failed' | 'unfinished' | 'gone';
    note: string;
    /** Under which it was created. */
    name: string;
    uid: string;
    logDigest: string | null;
  }>;
  /** Deletes the Job with its pods, by uid; harmless where it is gone or was never there. */
  deleteJob(request: JobRun): Promise<{ deleted: boolean }>;
}
