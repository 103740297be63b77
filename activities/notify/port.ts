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
    | 'needs-operator'
    | 'refused';
  service: string;
  environment: string;
  release: string;
  workflowId: string;
  /** One sentence for a person. */
  text: string;
}

/** Activity type `notifications.send`. A failure never fails the run. */
export interface Notifications {
  send(request: { target: NotifyTarget; notification: Notification }): Promise<void>;
}
