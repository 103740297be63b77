import type { ReleaseSummary } from '../../domain/delivery/release-summary.ts';

/** Where a notification goes. Addresses are not secret; credentials come from the worker. */
export type NotifyTarget = { webhook: string } | { log: true };

/** What happened to a run, for people and for machines. */
export interface Notification {
  /** Same id for every attempt, so that a receiver can drop repeats. */
  id: string;
  event:
    | 'started'
    | 'approval-wanted'
    | 'retaining'
    | 'deployed'
    | 'restored'
    | 'incident.open'
    | 'release.summary'
    | 'needs-operator'
    | 'refused'
    | 'access.changed'
    | 'access.review-overdue'
    | 'access.not-certified';
  /** Of a release. */
  service?: string;
  environment?: string;
  release?: string;
  /** Of a change of access. */
  change?: string;
  workflowId: string;
  runId?: string;
  /** The run in the Temporal UI, where the worker knows the address of that. */
  link?: string;
  /** A sentence for a person; of `release.summary` some lines for people who do not operate it. */
  text: string;
  /** Of `incident.open`: what a responder needs to begin. */
  incident?: IncidentEvidence;
  /** Of `release.summary`: the facts of the text. */
  summary?: ReleaseSummary;
}

/** What is known of a release that failed under way, when everything is back. */
export interface IncidentEvidence {
  failedStep: string;
  code: string;
  outcome: string;
  gates: { name: string; verdict: string; note: string }[];
  planDigest: string;
  /** Digests of what was kept, for whoever may read the blob store. */
  preImageDigest?: string;
  logsDigest?: string;
}

/** Activity type `notifications.send`. A failure never fails the run. */
export interface Notifications {
  send(request: { target: NotifyTarget; notification: Notification }): Promise<void>;
}
