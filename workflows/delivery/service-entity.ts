/**
 * The lock, the queue and the memory of one service (requirement 003-1): one release at a
 * time, each under an epoch that fences all earlier ones, also after Temporal lost its
 * memory and the cluster did not. It lives as long as the service and survives as carried
 * state. A holder that died after it wrote leaves the entity in `needs-operator`, where
 * `resolveLock` restores, adopts or releases.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  LockGrant,
  ServiceEntityInput,
  WaitingClaim,
} from '../../contracts/delivery/service-lock.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import {
  claimToEndRetention,
  keptReleases,
  nextEpoch,
  unwoundExcept,
  withoutClaim,
} from '../../domain/delivery/service-lock.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { waitsOf } from '../runtime/timeouts.ts';
import { endRetention, refuseClaim } from './entity-answers.ts';
import { acceptLockMessages } from './entity-messages.ts';
import { freeLock, openEntity } from './entity-state.ts';
import type { Entity } from './entity-state.ts';
import { lookAfterHolder, resolveHolder } from './lost-holder.ts';

export async function serviceEntity(input: ServiceEntityInput): Promise<void> {
  refuseInvented(input);
  const entity = openEntity(input);
  acceptLockMessages(entity);
  entity.show();
  while (!isLongEnough(entity)) {
    await nextTask(entity);
    if (entity.resolution !== undefined) await resolveHolder(entity);
    else if (canGrant(entity)) await grantNext(entity);
    else if (mustEndRetention(entity)) await endRetention(entity);
    else if (isTimeToLook(entity)) await lookAfterHolder(entity);
    entity.show();
  }
  await condition(allHandlersFinished);
  const { environment, service } = input;
  await continueAsNew<typeof serviceEntity>({ environment, service, carried: entity.state });
}

/** A memory comes from the run before; one that someone sent along could name any last release. */
const refuseInvented = ({ carried, environment, service }: ServiceEntityInput): void => {
  if (carried === undefined || workflowInfo().continuedFromExecutionRunId !== undefined) return;
  throw codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: `The entity of ${service} in ${environment} begins without a memory; one was sent along, and refused.`,
  });
};

const isLongEnough = ({ state }: Entity): boolean => {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return (
    continueAsNewSuggested || historyLength > waitsOf(state.timeoutProfile).entityHistoryEvents
  );
};

const canGrant = ({ state }: Entity): boolean =>
  state.holder === undefined && state.queue.length > 0;

const mustEndRetention = ({ state }: Entity): boolean =>
  state.status === 'held' && claimToEndRetention(state) !== undefined;

const isTimeToLook = ({ state, look }: Entity): boolean =>
  state.status === 'held' && Date.now() >= look.atMs;

/** Waits for something to do; while the lock is held, also for the next look at the holder. */
const nextTask = async (entity: Entity): Promise<void> => {
  const hasTask = (): boolean =>
    entity.resolution !== undefined || canGrant(entity) || mustEndRetention(entity);
  const isHeld = (): boolean => entity.state.status === 'held';
  if (!isHeld()) return condition(() => hasTask() || isHeld());
  const dueMs = Math.max(1, entity.look.atMs - Date.now());
  await condition(() => hasTask() || !isHeld(), dueMs, {
    summary: 'look whether the holder lives',
  });
};

/** Gives the lock to the first claim in the queue, or drops the claim with the reason. */
const grantNext = async (entity: Entity): Promise<void> => {
  const { state } = entity;
  const [claim] = state.queue;
  if (claim === undefined) return;
  state.status = 'granting';
  try {
    const epoch = await prepareEpoch(entity);
    // It may have been withdrawn, superseded or overtaken meanwhile.
    if (state.queue[0]?.requestId === claim.requestId) await grant(entity, claim, epoch);
  } catch (error) {
    await refuseClaim(entity, claim, codedErrorOf(error));
  } finally {
    if (state.holder === undefined) state.status = 'free';
  }
};

/** An epoch above everything on the cluster; what unwound releases left is swept under it. */
const prepareEpoch = async (entity: Entity): Promise<number> => {
  const { state } = entity;
  const { environment, service } = state;
  const ports = entity.ports();
  const { fence } = await ports.releases.highestFence(
    { environment, service },
    { summary: `highest fence on ${environment}/${service}` },
  );
  const epoch = nextEpoch(state.epoch, fence);
  const unwoundReleases = state.unsweptReleases;
  if (unwoundReleases.length > 0) {
    await ports.releases.prune(
      { environment, service, epoch, keepReleases: keptReleases(state), unwoundReleases },
      { summary: `sweep what ${unwoundReleases.join(', ')} left behind`.slice(0, 100) },
    );
    state.unsweptReleases = state.unsweptReleases.filter((name) => !unwoundReleases.includes(name));
  }
  return epoch;
};

const grant = async (entity: Entity, claim: WaitingClaim, epoch: number): Promise<void> => {
  const { state } = entity;
  state.queue = withoutClaim(state.queue, claim.requestId);
  state.epoch = epoch;
  state.holder = { ...claim, epoch };
  state.status = 'held';
  entity.look = { atMs: Date.now() + entity.waits().firstHolderLookMs, gapMs: 0 };
  const previous = state.lastGood?.manifestsDigest;
  const message: LockGrant = {
    requestId: claim.requestId,
    epoch,
    keepReleases: keptReleases(state),
    unwoundReleases: unwoundExcept(state.unwoundReleases, claim.release),
    ...(previous === undefined ? {} : { previousManifestsDigest: previous }),
  };
  try {
    await getExternalWorkflowHandle(claim.workflowId).signal(lockMessageNames.granted, message);
  } catch (error) {
    log.info('the run that was next is gone; its claim is dropped', { claim, error });
    if (state.holder.requestId === claim.requestId) freeLock(entity);
  }
};
