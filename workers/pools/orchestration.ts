import { Client } from '@temporalio/client';
import { createContracts } from '../../activities/contracts/index.ts';
import { createLocks } from '../../activities/coordination/index.ts';
import { auditedIdentity } from '../audited-ports.ts';
import { loadWorkflowBundle } from '../bundle.ts';
import { refusalSinks } from '../refused-messages.ts';
import { activityTypes, type PoolContext, type PoolSetup } from './pool-setup.ts';

/**
 * Runs the workflows, and the short activities that need nothing but this process
 * and the Temporal server: as local activities where they only read.
 */
export const orchestrationPool = async (context: PoolContext): Promise<PoolSetup> => {
  const { config, connection, namespace, encryption, identity, audit } = context;
  const { dataConverter } = encryption;
  const client = new Client({ connection, namespace, dataConverter });
  const { timeoutProfile, queuePrefix, workflowBundlePath } = config;
  return {
    workflowBundle: await loadWorkflowBundle(workflowBundlePath, {
      sealFailures: encryption.ring !== undefined,
    }),
    activities: {
      ...activityTypes('contracts', createContracts({ timeoutProfile })),
      ...activityTypes(
        'identity',
        audit === undefined ? identity : auditedIdentity(identity, audit),
      ),
      ...activityTypes('locks', createLocks({ client, queuePrefix })),
    },
    sinks: refusalSinks(audit),
    maxConcurrentActivityTaskExecutions: 20,
    maxConcurrentWorkflowTaskExecutions: 40,
    // A cached run costs some hundred kilobytes; one that was evicted is replayed in milliseconds.
    maxCachedWorkflows: 200,
    workflowTaskPollerBehavior: { type: 'autoscaling', minimum: 2, initial: 4, maximum: 20 },
  };
};
