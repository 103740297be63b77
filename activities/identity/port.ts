import type { AccessChange, AskedGrant } from '../../domain/security/access-change.ts';
import type { AccessPhase } from '../../domain/security/access-writes.ts';
import type { GrantPlace } from '../../domain/security/access-grant.ts';
import type { WantedApproval } from '../../domain/security/approval.ts';
import type { Warrant } from '../../domain/security/warrant.ts';
import type {
  Freeze,
  PermissionDecision,
  PermissionQuestion,
  Person,
} from '../../domain/security/permission.ts';

/** Activity type `identity.verify`, always a local activity. */
export interface Identity {
  /**
   * Who sends a message or starts a run, how far that is proven, and whether they may.
   * @throws IDENTITY_UNPROVEN, PERMISSION_DENIED; INVALID_INPUT where a start asks for approvals that
   * nobody could give
   */
  verify(request: VerifyRequest): Promise<VerifiedActor>;
}

export interface VerifyRequest {
  actor: string;
  /** `deployService.approve`. */
  action: string;
  workflowId: string;
  /** Absent where a proof need not name the run: at a start, and for an entity. */
  runId?: string;
  proof?: string;
  /** The whole message, or the whole input of a start. */
  content: unknown;
  /** What it is about, as the run knows it and not as the sender says. */
  about: Omit<PermissionQuestion, 'action'>;
  planDigest?: string;
  /** Of a start: what it will wait for. */
  approvals?: readonly WantedApproval[];
  /** When it came in: a worker may have been away since. */
  askedAtMs: number;
}

export interface VerifiedActor {
  actor: string;
  verification: 'unverified' | 'verified';
  /** One sentence for the evidence. */
  note: string;
  /** Policies that allowed it; absent where none were asked. */
  decidedBy?: string[];
  /** Groups that they are proven to be in; only for a decision about a plan. */
  groups?: string[];
}

/** Decides by policies; what it is asked about is all that it knows. */
export interface Policies {
  decide(person: Person, question: PermissionQuestion, situation: Situation): PermissionDecision;
}

export interface Situation {
  roles: readonly string[];
  freeze: Freeze | undefined;
}

/** What an access token of an issuer says. */
export interface TokenHolder {
  name: string;
  groups: readonly string[];
}

/** What a change will do, and who has to agree. */
export interface AccessPlan {
  /** Of the change and of who has to approve it; of a certification, of all that is given. */
  planDigest: string;
  give: readonly AskedGrant[];
  remove: readonly GrantPlace[];
  /** Roles of everyone whom it touches, `{ environment: roles }`; of a certification, of everyone. */
  before: RolesOf[];
  after: RolesOf[];
  /** Absent where nobody has to approve. */
  approval?: (WantedApproval & { withinMs: number; why: string }) | undefined;
  /** Of a role that was taken by breaking glass. */
  review?: (WantedApproval & { withinMs: number }) | undefined;
  /** What the grants end after; absent where they stay. */
  endsAfterMs?: number | undefined;
  targets: readonly string[];
}

export interface RolesOf {
  person: string;
  /** `operator in prod, by group shop-team`, each in words. */
  roles: readonly string[];
}

/** Why a role was not given, or what it ended as. */
export interface AccessEnding {
  change: string;
  outcome: string;
}

/** Activity types `accessChanges.…`. */
export interface AccessChanges {
  /** @throws ACCESS_CONFLICT, INVALID_INPUT, CONFIGURATION_INVALID where access is not managed */
  plan(request: { change: AccessChange }): Promise<AccessPlan>;
  /**
   * Writes one phase. A repeat answers what the first one wrote. The request and its approvals are
   * verified again.
   * @throws ACCESS_CHANGED, IDENTITY_UNPROVEN, PERMISSION_DENIED, APPROVAL_MISSING
   */
  write(request: AccessWrite): Promise<AccessWritten>;
  /** Records how the change ended. */
  conclude(ending: AccessEnding): Promise<void>;
}

export interface AccessWrite {
  phase: AccessPhase;
  change: string;
  planDigest: string;
  /** Checked before anything is written: who holds a queue cannot give roles. */
  warrant: Warrant;
}

export interface AccessWritten {
  version: number;
  /** In words, what is other than in the version before. */
  given: readonly string[];
  removed: readonly string[];
}

/** Activity type `accessTargets.reconcile`. */
export interface AccessTargets {
  /**
   * Makes a target have what the grants say now: removals first, then additions, then read back.
   * @throws ACCESS_TARGET_REFUSED, ACCESS_TARGET_UNREACHABLE, ACCESS_TARGET_DIFFERS
   */
  reconcile(request: { target: string }): Promise<{ given: string[]; removed: string[] }>;
}
