/** Activity type `identity.verify`, always a local activity. */
export interface Identity {
  /** Who sends a message, and how far that is proven. */
  verify(request: {
    actor: string;
    action: string;
    workflowId: string;
    proof?: string;
    /** Why, as the message says; for the audit log. */
    reason?: string;
  }): Promise<VerifiedActor>;
}

export interface VerifiedActor {
  actor: string;
  verification: 'unverified' | 'verified';
  /** One sentence for the evidence. */
  note: string;
}
