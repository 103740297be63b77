import { condition, getExternalWorkflowHandle, log, workflowInfo } from '@temporalio/workflow';
import type { LockClaim } from '../../activities/coordination/port.ts';
import type {
  LockGrant,
  LockRelease,
  LockRetention,
  ReleaseOutcome,
  RestorablePlan,
} from '../../contracts/delivery/service-lock.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import { serviceEntityId } from '../../domain/delivery/service-lock.ts';
import { codedFailure } from '../runtime/failures.ts';
import { requestIdOfRun } from './release-run.ts';
import type { ReleaseRun } from './release-run.ts';

/**
 * Asks the service entity for the lock and waits for its signal. The claim is repeated
 * now and then, because the entity may have been lost while the run waited.
 */
export const takeLock = async (run: ReleaseRun): Promise<LockGrant> => {
  const { environment, service } = run.input;
  const summary = `ask for the lock of ${environment}/${service}`;
  const claim = claimOf(run);
  const repeated = repeatedClaim(claim);
  const { position } = await run.ports.locks.request(claim, { summary });
  if (position > 0 && !isAnswered(run)) showQueue(run, position);
  let reminderMs = run.waits.firstLockReminderMs;
  const reminder = { summary: 'ask for the lock again' };
  while (!(await condition(() => isAnswered(run), reminderMs, reminder))) {
    await run.ports.locks.request(repeated, { summary });
    reminderMs = Math.min(reminderMs * 2, run.waits.longestLockReminderMs);
  }
  delete run.state.waitingFor;
  run.state.status = run.control.isPaused() ? 'paused' : 'running';
  const { grant, refusal } = run.lock;
  if (grant === undefined) {
    throw codedFailure(refusal?.error ?? { code: 'INTERNAL', message: 'The lock gave no answer.' });
  }
  return grant;
};

const isAnswered = (run: ReleaseRun): boolean =>
  run.lock.grant !== undefined || run.lock.refusal !== undefined;

const claimOf = (run: ReleaseRun): LockClaim => {
  const { environment, service, release, queue } = run.input;
  const { workflowId, runId } = workflowInfo();
  const { timeoutProfile } = run;
  return {
    environment,
    service,
    release,
    queue,
    requestId: requestIdOfRun(),
    workflowId,
    runId,
    timeoutProfile,
  };
};

/**
 * What is said again to an entity that forgot the queue supersedes nobody: the claims that
 * are there by then may be newer.
 */
const repeatedClaim = (claim: LockClaim): LockClaim =>
  claim.queue === 'supersede' ? { ...claim, queue: 'wait' } : claim;

const showQueue = (run: ReleaseRun, position: number): void => {
  const { environment, service, queue } = run.input;
  const asked = queue === 'hotfix' ? 'when it asked, as a hotfix' : 'when it asked';
  run.state.status = 'waiting';
  run.state.waitingFor = {
    what: `the lock of ${environment}/${service} (place ${position} ${asked})`,
    verbs: ['abort'],
  };
  run.show();
};

/**
 * Tells the entity from what the release could be undone, and waits until it knows:
 * nothing is written before, so that a run that is killed later can be restored.
 */
export const recordPlan = async (
  run: ReleaseRun,
  plan: Omit<RestorablePlan, 'requestId'>,
): Promise<void> => {
  await entity(run).signal<[RestorablePlan]>(lockMessageNames.record, {
    requestId: requestIdOfRun(),
    ...plan,
  });
};

/**
 * Tells the entity that the release only retains from now on. It answers as soon as someone
 * waits, and then `run.lock.wantedBy` says who.
 */
export const offerLock = async (run: ReleaseRun): Promise<void> => {
  const message: LockRetention = { requestId: requestIdOfRun() };
  try {
    await entity(run).signal<[LockRetention]>(lockMessageNames.retaining, message);
  } catch (error) {
    // Without an entity nobody waits; the retention ends by its time.
    log.warn('the service entity was not there to hear of the retention', { error });
  }
};

/** Gives the lock back, or takes the claim out of the queue. */
export const releaseLock = async (
  run: ReleaseRun,
  outcome: ReleaseOutcome,
  digests: Pick<LockRelease, 'manifestsDigest' | 'planDigest' | 'preImageDigest'>,
): Promise<void> => {
  const { release } = run.input;
  const message: LockRelease = { requestId: requestIdOfRun(), release, outcome, ...digests };
  try {
    await entity(run).signal<[LockRelease]>(lockMessageNames.release, message);
  } catch (error) {
    // Without an entity there is no lock to give back; the next claim starts a new one.
    log.warn('the service entity was not there to take its lock back', { error });
    run.note('the service entity was not there to take its lock back');
  }
};

const entity = (run: ReleaseRun): ReturnType<typeof getExternalWorkflowHandle> =>
  getExternalWorkflowHandle(serviceEntityId(run.input.environment, run.input.service));
