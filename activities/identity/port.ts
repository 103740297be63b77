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
   * @throws IDENTITY_UNPROVEN, PERMISSION_DENIED
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
