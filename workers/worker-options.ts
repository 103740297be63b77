import os from 'node:os';
import type { ActivityInterceptorsFactory, WorkerOptions } from '@temporalio/worker';
import type { Pool } from '../contracts/shared/define-contract.ts';
import { taskQueueOf } from '../domain/shared/task-queue.ts';
import type { PoolContext, PoolSetup } from './pools/pool-setup.ts';
import { refuseOutsideRuns } from './refuse-outside-runs.ts';
import { warrantedWrites } from './warranted-writes.ts';

/** What shutting down and failing over may take, by timeout profile. */
const profiles = {
  standard: { stickyQueue: '5s', shutdownGrace: '10s', shutdownForce: '20s' },
  // A killed worker leaves its runs on a queue that nobody polls; this is how long they wait there.
  test: { stickyQueue: '1s', shutdownGrace: '2s', shutdownForce: '10s' },
} as const;

/** All settings of the worker of one pool. */
export const workerOptions = (
  pool: Pool,
  context: PoolContext,
  setup: PoolSetup,
): WorkerOptions => {
  const { config, connection, namespace, encryption } = context;
  const profile = profiles[config.timeoutProfile];
  return {
    connection,
    namespace,
    dataConverter: encryption.dataConverter,
    taskQueue: taskQueueOf(config.queuePrefix, pool),
    identity: `${String(process.pid)}@${os.hostname()}:${pool}`,
    stickyQueueScheduleToStartTimeout: profile.stickyQueue,
    shutdownGraceTime: profile.shutdownGrace,
    shutdownForceTime: profile.shutdownForce,
    // Cancellation reaches an activity with the answer to a heartbeat: an abort acts within two seconds.
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    activityTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 20 },
    ...(config.accessFile === undefined ? {} : { interceptors: { activity: checksOf(context) } }),
    ...setup,
  };
};

const checksOf = ({ warrants }: PoolContext): ActivityInterceptorsFactory[] =>
  warrants === undefined ? [refuseOutsideRuns] : [refuseOutsideRuns, warrantedWrites(warrants)];
