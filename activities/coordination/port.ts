import type { QueuePolicy } from '../../domain/delivery/service-lock.ts';

/** A run that wants or holds the lock of a service. */
export interface LockClaim {
  environment: string;
  service: string;
  release: string;
  /** Workflow id and first run id: the same for every attempt and after a reset of the activity. */
  requestId: string;
  workflowId: string;
  runId: string;
  /** How it queues; absent: `wait`. A claim that is made again supersedes nobody. */
  queue?: QueuePolicy;
  /** The entity uses the same column of the timeout table as the run. */
  timeoutProfile: 'standard' | 'test';
}

/**
 * What the service entity (workflow type `serviceEntity`) is started with; what it carries
 * over when it continues as new is its own affair.
 */
export interface ServiceEntityStart {
  environment: string;
  service: string;
}

/** Activity types `locks.<verb>`; they run on the queue of the workflows. */
export interface Locks {
  /**
   * Puts the claim into the queue of the service entity, which is started if it is not there.
   * The answer arrives later as the signal `lockGranted` or `lockRefused`. The same claim may be made again; it
   * keeps its place. @throws QUEUE_FULL
   */
  request(claim: LockClaim): Promise<{ position: number }>;
  /** Is the run still open? Used by the entity to notice a holder that was terminated. */
  holderStatus(run: {
    workflowId: string;
    runId: string;
  }): Promise<{ status: 'running' | 'closed'; detail: string }>;
}
