import { getExternalWorkflowHandle, log } from '@temporalio/workflow';
import type {
  LockRefusal,
  LockWanted,
  WaitingClaim,
} from '../../contracts/delivery/service-lock.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import {
  claimToEndRetention,
  settleRequest,
  withoutClaim,
} from '../../domain/delivery/service-lock.ts';
import type { Entity } from './entity-state.ts';

/** Drops a claim and tells its run why. */
export const refuseClaim = async (
  { state }: Entity,
  { requestId, workflowId }: WaitingClaim,
  error: LockRefusal['error'],
): Promise<void> => {
  state.queue = withoutClaim(state.queue, requestId);
  state.settledRequestIds = settleRequest(state.settledRequestIds, requestId);
  const message: LockRefusal = { requestId, error };
  try {
    await getExternalWorkflowHandle(workflowId).signal(lockMessageNames.refused, message);
  } catch (cause) {
    log.info('the run that was refused is gone', { requestId, cause });
  }
};

/** Refuses the claims whose place another one has taken. */
export const refuseSuperseded = async (
  entity: Entity,
  superseded: readonly WaitingClaim[],
  by: { release: string },
): Promise<void> => {
  const { environment, service } = entity.state;
  const message = `Release ${by.release} superseded it in the queue for the lock of ${environment}/${service}.`;
  await Promise.all(
    superseded.map((claim) => refuseClaim(entity, claim, { code: 'SUPERSEDED', message })),
  );
};

/** Asks a holder that only retains to go on, because someone waits for the lock. */
export const endRetention = async ({ state }: Entity): Promise<void> => {
  const { holder } = state;
  const next = claimToEndRetention(state);
  if (holder === undefined || next === undefined) return;
  holder.wantedBy = next.release;
  const message: LockWanted = { requestId: holder.requestId, release: next.release };
  try {
    await getExternalWorkflowHandle(holder.workflowId).signal(lockMessageNames.wanted, message);
  } catch (cause) {
    log.info('the holder that retains is gone', { holder: holder.release, cause });
  }
};
