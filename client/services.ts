import type { Client } from '@temporalio/client';
import type { LockResolution, ServiceLockState } from '../contracts/delivery/service-lock.ts';
import { lockMessageNames, type MessageReceipt } from '../contracts/messages.ts';
import { LockResolutionSchema } from '../contracts/shared/message.ts';
import { EnvironmentName, ServiceName } from '../contracts/shared/names.ts';
import type { Caller } from './caller.ts';
import { toOpsError } from './error-translation.ts';
import { parseInput } from './input-validation.ts';
import { OpsError } from './ops-error.ts';
import type { MessageOptions } from './run-handle.ts';
import { queryTimeoutMs } from './run-view.ts';

/** `ops.services`: the entity that holds the lock, the queue and the history of a service. */
export interface Services {
  /** Lock, queue and last good release. @throws RUN_NOT_FOUND if nothing was ever released */
  state(environment: string, service: string): Promise<ServiceLockState>;
  /** The run that holds the lock, else the first that waits for it. @throws RUN_NOT_FOUND */
  liveRun(
    environment: string,
    service: string,
  ): Promise<{ workflowId: string; runId: string | undefined }>;
  /**
   * Decides about a lock whose holder died: `restore` puts its changes back, `adopt` keeps what is
   * live, `release` gives the lock to the next run without touching anything.
   */
  resolveLock(
    environment: string,
    service: string,
    decision: MessageOptions & { action: LockResolution['action'] },
  ): Promise<MessageReceipt>;
}

/** @internal */
export const createServices = (
  client: Client,
  caller: Caller,
  messageTimeoutMs: number,
): Services => {
  const stateOf = async (environment: string, service: string): Promise<ServiceLockState> => {
    const workflowId = entityId(environment, service);
    try {
      return await client.withDeadline(Date.now() + queryTimeoutMs, async () =>
        client.workflow.getHandle(workflowId).query<ServiceLockState>(lockMessageNames.state),
      );
    } catch (error) {
      const translated = toOpsError(error, { run: workflowId, asksWorker: true });
      throw unknownService({ environment, service }, translated);
    }
  };
  return {
    state: stateOf,
    liveRun: async (environment, service) => {
      const { holder, queue } = await stateOf(environment, service);
      const claimant = holder ?? queue[0];
      if (claimant === undefined) throw noLiveRun(environment, service);
      return { workflowId: claimant.workflowId, runId: claimant.runId };
    },
    resolveLock: async (environment, service, options) => {
      const workflowId = entityId(environment, service);
      const parsed = parseInput(LockResolutionSchema, { actor: caller.actor, ...options });
      const decision = await proven(caller, { environment, service, ...parsed });
      try {
        return await client.withDeadline(Date.now() + messageTimeoutMs, async () =>
          client.workflow
            .getHandle(workflowId)
            .executeUpdate<MessageReceipt, [typeof decision]>(lockMessageNames.resolve, {
              args: [decision],
            }),
        );
      } catch (error) {
        throw toOpsError(error, { run: workflowId });
      }
    },
  };
};

interface Decision {
  actor: string;
  reason: string;
  proof?: string | undefined;
  action: LockResolution['action'];
}

/** @throws IDENTITY_UNPROVEN, PERMISSION_DENIED */
const proven = async (
  caller: Caller,
  { environment, service, ...decision }: Decision & { environment: string; service: string },
): Promise<Decision> => {
  if (decision.proof !== undefined) return decision;
  const action = `serviceEntity.${lockMessageNames.resolve}`;
  await caller.permit(decision.actor, { action, environment, service });
  const workflowId = entityId(environment, service);
  const proof = await caller.prove({ workflowId, action, content: decision });
  return proof === undefined ? decision : { ...decision, proof };
};

const entityId = (environment: string, service: string): string =>
  `service:${parseInput(EnvironmentName, environment)}:${parseInput(ServiceName, service)}`;

const noLiveRun = (environment: string, service: string): OpsError =>
  new OpsError({
    code: 'RUN_NOT_FOUND',
    message: `No release of ${service} to ${environment} is running or waiting.`,
    subject: `${environment}/${service}`,
  });

const unknownService = (
  { environment, service }: { environment: string; service: string },
  error: OpsError,
): OpsError => {
  if (error.code !== 'RUN_NOT_FOUND') return error;
  return new OpsError(
    {
      code: 'RUN_NOT_FOUND',
      message: `${service} was never released to ${environment}.`,
      next: `Release it with \`holdfast deploy -f holdfast.yaml -e ${environment}\`.`,
      subject: `${environment}/${service}`,
    },
    { cause: error },
  );
};
