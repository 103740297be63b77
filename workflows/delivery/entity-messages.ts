import {
  CancellationScope,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type { LockClaim } from '../../activities/coordination/port.ts';
import type {
  LockRelease,
  LockResolution,
  LockRetention,
  RestorablePlan,
  ServiceLockState,
} from '../../contracts/delivery/service-lock.ts';
import type { MessageReceipt } from '../../contracts/messages.ts';
import { lockMessageNames } from '../../contracts/messages.ts';
import {
  claimLock,
  longestQueue,
  settleRequest,
  withoutClaim,
} from '../../domain/delivery/service-lock.ts';
import type { CommandPlace } from '../../domain/security/signed-command.ts';
import { createCommandDesk } from '../runtime/command-desk.ts';
import type { CommandDesk } from '../runtime/command-desk.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { messageProblem } from '../runtime/message-shape.ts';
import { knownWithinMs } from '../runtime/timeouts.ts';
import { refuseSuperseded } from './entity-answers.ts';
import { freeLock } from './entity-state.ts';
import type { Entity } from './entity-state.ts';

/** The messages of a service entity; registered before the first wait, so that none is lost. */
export const acceptLockMessages = (entity: Entity): void => {
  takeClaims(entity);
  takeResolutions(entity);
  setHandler(
    defineSignal<[LockRelease]>(lockMessageNames.release),
    (message) => takeBack(entity, message),
    { description: 'From a run: the lock is free again, or the claim is withdrawn.' },
  );
  setHandler(
    defineSignal<[RestorablePlan]>(lockMessageNames.record),
    (plan) => {
      const { holder } = entity.state;
      if (holder?.requestId === plan.requestId) holder.plan = plan;
    },
    { description: 'From the holder: what its release could be undone from.' },
  );
  setHandler(
    defineSignal<[LockRetention]>(lockMessageNames.retaining),
    ({ requestId }) => {
      const { holder } = entity.state;
      if (holder?.requestId === requestId) holder.isRetaining = true;
    },
    { description: 'From the holder: it only keeps the version before, until someone waits.' },
  );
  setHandler(defineQuery<ServiceLockState>(lockMessageNames.state), () => entity.state, {
    description: 'Who holds the lock, who waits, and how the last releases ended.',
  });
};

const takeClaims = (entity: Entity): void => {
  const { state } = entity;
  const claimOf = ({ requestId, workflowId, runId, release, queue }: LockClaim) =>
    claimLock(state, {
      ...{ requestId, workflowId, runId, release },
      ...(queue === undefined ? {} : { queue }),
    });
  const refuseFullQueue = (claim: LockClaim): void => {
    if ('position' in claimOf(claim).placement) return;
    const what = claim.queue === 'hotfix' ? 'hotfixes' : 'releases';
    const message = `${longestQueue} ${what} wait for ${state.service} in ${state.environment} already.`;
    throw codedFailure({ code: 'QUEUE_FULL', message });
  };
  setHandler(
    defineUpdate<{ position: number }, [LockClaim]>(lockMessageNames.request),
    async (claim) => {
      const { queue, placement, superseded } = claimOf(claim);
      state.queue = queue;
      state.timeoutProfile = claim.timeoutProfile;
      await refuseSuperseded(entity, superseded, claim);
      return { position: 'position' in placement ? placement.position : 0 };
    },
    {
      description: 'From a run: queue for the lock. A repeated request keeps its place.',
      validator: refuseFullQueue,
    },
  );
};

const takeBack = (entity: Entity, message: LockRelease): void => {
  const { state } = entity;
  const { requestId, outcome, ...left } = message;
  if (state.holder?.requestId !== requestId) {
    state.queue = withoutClaim(state.queue, requestId);
    state.settledRequestIds = settleRequest(state.settledRequestIds, requestId);
    return;
  }
  // A restore is under way for a holder that was taken for dead: the restore decides.
  if (state.status === 'restoring') return;
  const { epoch } = state.holder;
  freeLock(entity, outcome === 'refused' ? undefined : { ...left, outcome, epoch });
};

const takeResolutions = (entity: Entity): void => {
  // What it remembers is carried over: a decision that was used stays used.
  const desk = createCommandDesk(entity.state);
  const check = (resolution: LockResolution): void => {
    const problem =
      resolutionProblem(entity, resolution) ?? desk.problem(resolution, resolutionPlace());
    if (problem === undefined) return;
    throw codedFailure({
      code: 'MESSAGE_REFUSED',
      message: `\`${lockMessageNames.resolve}\` is refused: ${problem}.`,
    });
  };
  setHandler(
    defineUpdate<MessageReceipt, [LockResolution]>(lockMessageNames.resolve),
    async (resolution) => {
      const { verification } = await CancellationScope.nonCancellable(() =>
        senderOf(entity, resolution, desk),
      );
      // Someone else may have decided while the sender was checked.
      check(resolution);
      desk.use(resolution, Date.now());
      const { action, actor, reason } = resolution;
      entity.resolution = { action, actor, reason, verification };
      return { changed: true, state: `${action} accepted` };
    },
    {
      description: 'What to do about a holder that died: restore, adopt or release.',
      validator: check,
    },
  );
};

const resolveAction = `serviceEntity.${lockMessageNames.resolve}`;

/** An entity lives on as one run after the other, so that a proof names none of them. */
const resolutionPlace = (): CommandPlace => ({
  workflowId: workflowInfo().workflowId,
  action: resolveAction,
  atMs: Date.now(),
});

const senderOf = async (
  entity: Entity,
  resolution: LockResolution,
  desk: CommandDesk,
): Promise<VerifiedActor> => {
  const { environment, service } = entity.state;
  const { actor, proof } = resolution;
  try {
    return await entity.ports().identity.verify(
      {
        ...{ actor, content: resolution, about: { environment, service } },
        ...{ action: resolveAction, askedAtMs: Date.now() },
        workflowId: workflowInfo().workflowId,
        ...(proof === undefined ? {} : { proof }),
      },
      { summary: `who sends ${lockMessageNames.resolve}?`, scheduleToCloseMs: knownWithinMs },
    );
  } catch (error) {
    desk.refused(Date.now());
    throw codedFailure(codedErrorOf(error));
  }
};

const resolutionProblem = (entity: Entity, resolution: LockResolution): string | undefined => {
  const { action, ...message } = resolution;
  const problem = messageProblem(message);
  if (problem !== undefined) return problem;
  const { needsOperator, status } = entity.state;
  if (needsOperator === undefined || entity.resolution !== undefined) {
    return `the lock is ${status}, nobody is asked`;
  }
  return needsOperator.verbs.includes(action)
    ? undefined
    : `\`action\` must be one of ${needsOperator.verbs.join(', ')}`;
};
