import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { AccessGate, Warrants } from '../../activities/identity/index.ts';
import type { Identity } from '../../activities/identity/port.ts';
import type { Audit } from '../audit.ts';
import type { WorkerConfig } from '../config.ts';
import type { ReleaseStore } from '../release-store.ts';
import type { Encryption } from '../encryption.ts';

/** What every pool is made from. */
export interface PoolContext {
  config: WorkerConfig;
  connection: NativeConnection;
  namespace: string;
  /** Absent where neither blobs nor a database are configured. */
  releases: ReleaseStore | undefined;
  encryption: Encryption;
  /** Absent where no database is configured. */
  audit: Audit | undefined;
  /** Checks who sends messages and starts runs. */
  identity: Identity;
  /** Checks writes where access is configured. */
  warrants: Warrants | undefined;
  /** Who may do what; absent where everyone is taken at their word. */
  access: AccessGate | undefined;
  log: Logger;
}

/** What one pool adds to the settings that all workers share. */
export type PoolSetup = Pick<
  WorkerOptions,
  | 'activities'
  | 'workflowBundle'
  | 'sinks'
  | 'maxConcurrentActivityTaskExecutions'
  | 'maxConcurrentWorkflowTaskExecutions'
  | 'maxCachedWorkflows'
  | 'workflowTaskPollerBehavior'
>;

/** The verbs of a port under their types on the wire, `<port>.<verb>`. */
export const activityTypes = (port: string, verbs: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(verbs).map(([verb, run]) => [`${port}.${verb}`, run]));
