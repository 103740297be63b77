import { log, ParentClosePolicy, patched, startChild } from '@temporalio/workflow';
import type {
  LockHolder,
  LockDecision,
  ReleaseOutcome,
  ReleaseRecord,
  RestorablePlan,
} from '../../contracts/delivery/service-lock.ts';
import { endingOfLost } from '../../domain/delivery/ended-release.ts';
import { keptReleases, nextEpoch } from '../../domain/delivery/service-lock.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import { announce } from './announce.ts';
import { freeLock } from './entity-state.ts';
import type { Entity } from './entity-state.ts';
import { restoreRelease } from './restore-release.ts';

/** Looks whether the holder is still open; the gap to the next look grows. */
export const lookAfterHolder = async (entity: Entity): Promise<void> => {
  const { state, look } = entity;
  const { holder } = state;
  if (holder === undefined) return;
  const { workflowId, runId, requestId } = holder;
  const { status, detail } = await entity
    .ports()
    .holders.holderStatus({ workflowId, runId }, { summary: `does ${holder.release} still run?` });
  // It may have given the lock back while it was looked after.
  if (state.status !== 'held' || state.holder?.requestId !== requestId) return;
  if (status === 'closed') {
    noticeLoss(entity, holder, detail);
    return;
  }
  const { firstHolderLookMs, longestHolderLookMs } = entity.waits();
  const gapMs = Math.min(Math.max(look.gapMs * 2, firstHolderLookMs), longestHolderLookMs);
  entity.look = { atMs: Date.now() + gapMs, gapMs };
};

/** A holder that recorded no plan wrote nothing, so that there is nothing to decide. */
const noticeLoss = (entity: Entity, { release, plan }: LockHolder, detail: string): void => {
  if (plan === undefined) {
    log.info('the holder died before it wrote; the lock is free', { release, detail });
    freeLock(entity);
  } else {
    askOperator(entity, `${release} ended without giving the lock back: ${detail}.`, plan);
  }
};

const askOperator = (entity: Entity, why: string, plan: RestorablePlan): void => {
  const { state } = entity;
  const { service, environment, holder } = state;
  if (holder !== undefined) state.holder = { ...holder, lostAtMs: holder.lostAtMs ?? Date.now() };
  state.status = 'needs-operator';
  state.needsOperator = { why, verbs: ['restore', 'adopt', 'release'] };
  const about = { service, environment, release: holder?.release ?? '' };
  const announcer = { ports: entity.ports(), input: { notify: plan.notify }, state: about };
  void announce({ ...announcer, note: (what) => log.warn(what) }, 'needs-operator', why);
};

/** Carries out what an operator decided about a dead holder. */
export const resolveHolder = async (entity: Entity): Promise<void> => {
  const { state, resolution } = entity;
  const { holder } = state;
  try {
    if (holder?.plan === undefined || resolution === undefined) {
      freeLock(entity);
    } else if (resolution.action === 'restore') {
      await restore(entity, holder.plan, resolution);
    } else {
      const outcome = resolution.action === 'adopt' ? 'adopted' : 'left-as-is';
      freeLock(entity, { ...recordOf(holder, holder.plan, outcome), decision: resolution });
      await count(entity, holder, outcome);
    }
  } finally {
    delete entity.resolution;
  }
};

/** The lock is free by then, and the next release does not wait long for a figure. */
const countWithinMs = 30_000;

/** A release that ended by itself is counted by its run; this one has no run any more. */
const count = async (
  entity: Entity,
  { requestId, release, lostAtMs }: LockHolder,
  outcome: Parameters<typeof endingOfLost>[0]['outcome'],
): Promise<void> => {
  // Entities from before such releases were counted replay without it.
  if (!patched('count-lost-holder')) return;
  const { service, environment } = entity.state;
  const ending = endingOfLost({ requestId, outcome, lostAtMs, endedAtMs: Date.now() });
  try {
    await entity
      .ports()
      .releaseRecords.add(
        { service, environment, release, ...ending },
        { summary: `count ${release}`, scheduleToCloseMs: countWithinMs },
      );
  } catch (error) {
    log.warn('the release of a lost run was not counted', { release, error });
  }
};

const recordOf = (
  { release, epoch }: LockHolder,
  { manifestsDigest, planDigest, preImageDigest }: RestorablePlan,
  outcome: ReleaseOutcome,
): ReleaseRecord => ({ release, outcome, epoch, manifestsDigest, planDigest, preImageDigest });

/** The lock stays held by the restore; if that dies too, an operator is asked again. */
const restore = async (
  entity: Entity,
  plan: RestorablePlan,
  decision: LockDecision,
): Promise<void> => {
  const { state } = entity;
  state.status = 'restoring';
  delete state.needsOperator;
  entity.show();
  try {
    const outcome = await runRestore(entity, plan, decision);
    const { holder } = state;
    if (holder === undefined) return;
    freeLock(entity, { ...recordOf(holder, plan, outcome), decision });
    await count(entity, holder, outcome);
  } catch (error) {
    askOperator(entity, `The restore failed: ${codedErrorOf(error).message}`, plan);
  }
};

const runRestore = async (
  entity: Entity,
  plan: RestorablePlan,
  decision: LockDecision,
): Promise<'restored-exactly' | 'restored-with-exceptions'> => {
  const { state } = entity;
  const { environment, service, holder, timeoutProfile } = state;
  const release = holder?.release ?? '';
  const { fence } = await entity
    .ports()
    .releases.highestFence(
      { environment, service },
      { summary: `highest fence on ${environment}/${service}` },
    );
  const epoch = nextEpoch(state.epoch, fence);
  state.epoch = epoch;
  const target = { environment, service, release, epoch, timeoutProfile };
  const request = {
    ...target,
    plan,
    keepReleases: keptReleases(state),
    requestedBy: decision,
  };
  const child = await startChild(restoreRelease, {
    workflowId: `restore:${environment}:${service}:${release}:${epoch}`,
    args: [request],
    staticSummary: `put ${release} of ${service} back in ${environment}`,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
  if (state.holder !== undefined) {
    const { workflowId, firstExecutionRunId: runId } = child;
    state.holder = { ...state.holder, workflowId, runId, epoch };
  }
  const { outcome } = await child.result();
  return outcome;
};
