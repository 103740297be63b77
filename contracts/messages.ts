/**
 * Names and payloads of the messages that a run accepts. The words are the same
 * in every use case, so that operators learn one set. Zod-free: workflows import
 * this at run time; `contracts/shared/message.ts` holds the schemas.
 */

/** What every message carries: who sends it and why. */
export interface Message {
  /** Who asks, as the caller names itself, e.g. `ana@example.com`. */
  actor: string;
  /** Why, in one sentence; it is kept as evidence. */
  reason: string;
  /** A signature or token that proves the actor; opaque to the workflow. */
  proof?: string;
}

/** A decision that is only valid for the plan it was taken on. */
export interface PlanDecision extends Message {
  /** Digest of the plan that was read, `sha256:…`. */
  planDigest: string;
}

/** What a worker is told of a message that a run refused, for the audit log. */
export interface RefusedMessage {
  /** Of the update. */
  id: string;
  action: string;
  /** As the message says; nobody has checked it. */
  actor: string;
  reason: string;
  why: string;
}

/** Asks for a share of the traffic; the rollout stays there until `promote`. */
export interface WeightRequest extends Message {
  /** 0–100. */
  weightPercent: number;
}

/** What a run answers to a message. */
export interface MessageReceipt {
  /** False when the run was already in the state that was asked for. */
  changed: boolean;
  /** What the run does now, in one sentence. */
  state: string;
  /** Share of the traffic that the new version has, where traffic is shared. */
  weightPercent?: number;
}

export const updateNames = {
  approve: 'approve',
  reject: 'reject',
  pause: 'pause',
  resume: 'resume',
  skip: 'skip',
  abort: 'abort',
  retryStep: 'retryStep',
  retryCompensation: 'retryCompensation',
  setWeight: 'setWeight',
  promote: 'promote',
  promoteFull: 'promoteFull',
} as const;

export type UpdateName = keyof typeof updateNames;

export const queryNames = {
  progress: 'progress',
  plan: 'plan',
  timeline: 'timeline',
  evidence: 'evidence',
} as const;

/** Messages between a run and the service entity that holds its lock. */
export const lockMessageNames = {
  /** Update on the entity: ask for the lock. */
  request: 'requestLock',
  /** Update on the entity: what to do about a holder that died. */
  resolve: 'resolveLock',
  /** Signal to the entity: the holder is done, or no longer wants it. */
  release: 'releaseLock',
  /** Signal to the entity: the holder has a plan that a restore can be made from. */
  record: 'recordPlan',
  /** Signal to the entity: the holder only keeps the version before, and need not. */
  retaining: 'lockRetaining',
  /** Signal to the holder: someone waits for the lock; do not keep it longer than needed. */
  wanted: 'lockWanted',
  /** Signal to the run: the lock is yours. */
  granted: 'lockGranted',
  /** Signal to the run: the lock cannot be had, with the reason. */
  refused: 'lockRefused',
  /** Query on the entity. */
  state: 'state',
} as const;

/** Longest text fields, so that a message can never bloat a history. */
export const messageLimits = { actorChars: 200, reasonChars: 500, proofChars: 8_000 } as const;
