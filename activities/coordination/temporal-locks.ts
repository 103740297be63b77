import {
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { ErrorCode } from '../../contracts/errors.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import { serviceEntityId } from '../../domain/delivery/service-lock.ts';
import { taskQueueOf } from '../../domain/shared/task-queue.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import type { LockClaim, Locks, ServiceEntityStart } from './port.ts';

export interface LocksDeps {
  client: Client;
  /** Prefix of the task queues of this installation. */
  queuePrefix: string;
}

/** Shorter than any timeout of the activity, so that a dead connection is found within it. */
const callDeadlineMs = 8_000;

/** Locks held by the entity workflow of each service. */
export const createLocks = ({ client, queuePrefix }: LocksDeps): Locks => ({
  async request(claim) {
    const { environment, service, requestId } = claim;
    const entity: ServiceEntityStart = { environment, service };
    try {
      return await client.withDeadline(Date.now() + callDeadlineMs, () =>
        client.workflow.executeUpdateWithStart<EntityWorkflow, { position: number }, [LockClaim]>(
          lockMessageNames.request,
          {
            args: [claim],
            // The server answers a repeated attempt with the outcome of the first one.
            updateId: requestId,
            startWorkflowOperation: new WithStartWorkflowOperation<EntityWorkflow>(
              'serviceEntity',
              {
                workflowId: serviceEntityId(environment, service),
                taskQueue: taskQueueOf(queuePrefix, 'orchestration'),
                workflowIdConflictPolicy: 'USE_EXISTING',
                staticSummary: `lock and history of ${service} in ${environment}`,
                args: [entity],
              },
            ),
          },
        ),
      );
    } catch (error) {
      throw refusedClaim(claim, error);
    }
  },

  async holderStatus(run) {
    const named = await describe(client, run.workflowId, run.runId);
    if (named !== undefined && isOpen(named)) return { status: 'running', detail: openDetail };
    // A reset or continue-as-new goes on under another run id but keeps the first one.
    const latest = await describe(client, run.workflowId);
    if (named !== undefined && latest !== undefined && isOpen(latest)) {
      if (firstRunId(latest) === firstRunId(named))
        return { status: 'running', detail: openDetail };
    }
    return { status: 'closed', detail: closedDetail(named) };
  },
});

type EntityWorkflow = (start: ServiceEntityStart) => Promise<void>;

const openDetail = 'the run is open';

const closedDetail = (run: WorkflowExecutionDescription | undefined): string =>
  run === undefined
    ? 'the server has no such run any more'
    : `the run is closed: ${run.status.name.toLowerCase()}`;

const isOpen = (run: WorkflowExecutionDescription): boolean =>
  run.status.name === 'RUNNING' || run.status.name === 'PAUSED';

const firstRunId = (run: WorkflowExecutionDescription): string =>
  run.raw.workflowExecutionInfo?.firstRunId ?? run.runId;

const describe = async (
  client: Client,
  workflowId: string,
  runId?: string,
): Promise<WorkflowExecutionDescription | undefined> => {
  try {
    return await client.withDeadline(Date.now() + callDeadlineMs, () =>
      client.workflow.getHandle(workflowId, runId).describe(),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw unanswered(workflowId, error);
  }
};

const refusedClaim = (claim: LockClaim, error: unknown): Error => {
  const entityId = serviceEntityId(claim.environment, claim.service);
  if (!(error instanceof WorkflowUpdateFailedError)) return unanswered(entityId, error);
  const coded = codedErrorOf(error.cause);
  if (coded !== undefined) return codedFailure(coded, { cause: error.cause });
  return codedFailure(
    {
      code: 'INTERNAL',
      message: `${entityId} did not take the claim of ${claim.workflowId}: ${reasonOf(error.cause)}; it is asked again.`,
      subject: entityId,
    },
    { cause: error },
  );
};

// Numbers of the gRPC status codes (grpc.github.io/grpc/core/md_doc_statuscodes.html).
const permissionDenied = 7;
const unauthenticated = 16;

const unanswered = (subject: string, error: unknown): Error => {
  const refused =
    isGrpcServiceError(error) && [permissionDenied, unauthenticated].includes(error.code);
  const code: ErrorCode = refused ? 'PERMISSION_MISSING' : 'TEMPORAL_UNREACHABLE';
  return codedFailure(
    { code, message: `Temporal gave no answer about ${subject}: ${reasonOf(error)}`, subject },
    { cause: error },
  );
};

const reasonOf = (error: unknown): string => {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
};
