import { randomUUID } from 'node:crypto';
import { budgetWarning } from '../../domain/delivery/exposure-budget.ts';
import { taskQueueOf } from '../../domain/shared/task-queue.ts';
import type { DeployServiceRequest } from '../delivery/deploy-service.ts';
import { ReleasePlan } from '../delivery/release-plan.ts';
import { toOpsError } from '../error-translation.ts';
import type { OpsClient } from '../index.ts';
import { OpsError } from '../ops-error.ts';

// A plan reads and dry-runs every object twice; a cluster that is slow may take this long.
const planTimeoutMs = 120_000;
// A worker that polls takes the task at once.
const pickUpTimeoutMs = 15_000;

/**
 * Asks a worker for the plan of a release, against the live objects and the last good release,
 * without the lock: reads and dry-runs only.
 */
export const planRelease = async (
  ops: OpsClient,
  request: DeployServiceRequest,
  queuePrefix: string,
): Promise<ReleasePlan> => {
  const input = await ops.delivery.deployService.prepare(request);
  const { environment, service, release, manifestsDigest, adopt } = input;
  const { epoch, previous } = await lastGood(ops, environment, service);
  try {
    const plan: unknown = await ops.temporal.activity.execute('releases.plan', {
      id: `plan:${environment}:${service}:${randomUUID()}`,
      taskQueue: taskQueueOf(queuePrefix, 'kubernetes'),
      args: [
        {
          ...{ environment, service, release, manifestsDigest, adopt, epoch },
          ...(previous === undefined ? {} : { previousManifestsDigest: previous }),
        },
      ],
      scheduleToStartTimeout: pickUpTimeoutMs,
      scheduleToCloseTimeout: planTimeoutMs,
      retry: { maximumAttempts: 3 },
      summary: `dry run of ${service} ${release} → ${environment}`,
    });
    const { warnings, ...rest } = ReleasePlan.parse(plan);
    const warning = budgetWarning(input);
    return { ...rest, warnings: warning === undefined ? warnings : [...warnings, warning] };
  } catch (error) {
    throw toOpsError(error);
  }
};

const lastGood = async (
  ops: OpsClient,
  environment: string,
  service: string,
): Promise<{ epoch: number; previous: string | undefined }> => {
  try {
    const state = await ops.services.state(environment, service);
    return { epoch: state.epoch + 1, previous: state.lastGood?.manifestsDigest };
  } catch (error) {
    if (error instanceof OpsError && error.code === 'RUN_NOT_FOUND') {
      return { epoch: 1, previous: undefined };
    }
    throw error;
  }
};
