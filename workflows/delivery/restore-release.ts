/**
 * Undoes a release whose run died, for the service entity (requirement 003-1): everything
 * exactly as before, proven object by object, or `needs-operator`. It works from the plan
 * that the dead run recorded before its first write, under a new epoch, so that writes of
 * the dead run that are still under way change nothing.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  workflowInfo,
} from '@temporalio/workflow';
import type { TimeoutProfile } from '../../activities/contracts/port.ts';
import type {
  LockDecision,
  RestorableChange,
  RestorablePlan,
} from '../../contracts/delivery/service-lock.ts';
import { outcomeOfRestore } from '../../domain/delivery/release-outcome.ts';
import { serviceEntityId } from '../../domain/delivery/service-lock.ts';
import { codedFailure } from '../runtime/failures.ts';
import { portsOf } from '../runtime/ports.ts';
import { createSaga } from '../runtime/saga.ts';
import type { Saga } from '../runtime/saga.ts';
import { waitsOf } from '../runtime/timeouts.ts';
import { askOperator, compensationsOf, unwindOptions } from './ask-operator.ts';
import { acceptRestoreMessages } from './release-messages.ts';
import { openRun } from './release-run.ts';
import type { OpenRun } from './release-run.ts';
import { begin, end } from './run-step.ts';
import { alertsEntry, undoAlerts } from './set-up-alerts.ts';
import { podShareStep, undoPodShare } from './share-by-pods.ts';
import { undoShift } from './undo-shift.ts';
import { undoOf, unwindAndProve } from './unwind-release.ts';
import type { WayBack } from './unwind-release.ts';

export interface RestoreRequest {
  environment: string;
  service: string;
  release: string;
  /** Greater than every fence on a live object. */
  epoch: number;
  plan: RestorablePlan;
  keepReleases: string[];
  /** Who asked for the restore, and why. */
  requestedBy: LockDecision;
  timeoutProfile: TimeoutProfile;
}

export interface RestoreResult {
  outcome: 'restored-exactly' | 'restored-with-exceptions';
  compensations: OpenRun['state']['compensations'];
}

export async function restoreRelease(request: RestoreRequest): Promise<RestoreResult> {
  refuseStranger(request);
  const open = openRun('restore');
  acceptRestoreMessages(open);
  // A restore has no forward moves that could be cancelled: it ends when everything is undone.
  return CancellationScope.nonCancellable(async () => {
    const run = prepare(open, request);
    begin(run, { stage: 'unwind', found: 'unwind' });
    const saga = createSaga(unwindOptions(run, request.plan.compensationDeadlineMs));
    const back = wayBack(request, run.ports);
    recordAll(saga, request, back);
    const proof = await unwindAndProve({
      ...unwindOptions(run, request.plan.compensationDeadlineMs),
      back,
      saga,
      askAbout: (what, why) => askOperator(run, what, why),
    });
    const outcome = outcomeOfRestore(saga.ledger(), proof);
    end(run, 'unwind', { status: 'done', note: outcome });
    Object.assign(run.state, { status: 'finished', outcome });
    run.show({ stage: 'finished', outcome });
    await condition(allHandlersFinished);
    return { outcome, compensations: compensationsOf(saga.ledger()) };
  });
}

/** Only the entity of the service starts a restore, after an operator decided. */
const refuseStranger = ({ environment, service }: RestoreRequest): void => {
  if (workflowInfo().parent?.workflowId === serviceEntityId(environment, service)) return;
  throw codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: `A restore of ${service} is started by the entity of the service alone. Nothing was changed.`,
    next: 'Ask for it with `holdfast lock NAME -e ENV --restore`.',
  });
};

/** Everything that the dead run may have done, in its order; what was not done undoes to nothing. */
const recordAll = (saga: Saga, { service, plan }: RestoreRequest, back: WayBack): void => {
  const { candidate, alerts } = plan;
  const staged = plan.changes.filter(({ phase }) => phase === 'stage');
  const later = plan.changes.filter(({ phase }) => phase !== 'stage');
  const record = (change: RestorableChange): void => {
    if (change.action === 'keep') return;
    saga.record({ step: change.step, service }, undoOf(back, change));
  };
  staged.forEach(record);
  if (candidate?.route !== undefined) {
    saga.record({ step: `shift ${candidate.route}`, service }, undoShift(back, candidate));
  }
  if (candidate?.byPods !== undefined) {
    saga.record({ step: podShareStep, service }, undoPodShare(back, candidate));
  }
  later.forEach(record);
  if (alerts !== undefined) saga.record(alertsEntry(alerts), undoAlerts(back, alerts));
};

const prepare = (open: OpenRun, request: RestoreRequest): Parameters<typeof askOperator>[0] => {
  const { service, environment, release, epoch, plan, timeoutProfile, requestedBy } = request;
  Object.assign(open.state, {
    service,
    environment,
    release,
    epoch,
    planDigest: plan.planDigest,
    status: 'unwinding',
    stages: [],
  });
  const { actor, reason, verification } = requestedBy;
  open.evidence.identities.push({ action: 'restore', actor, verification, reason });
  open.show({ service, environment, release });
  return Object.assign(open, {
    ports: portsOf(timeoutProfile),
    waits: waitsOf(timeoutProfile),
    input: { notify: plan.notify },
  });
};

const wayBack = (
  { environment, service, release, epoch, plan, keepReleases }: RestoreRequest,
  ports: WayBack['ports'],
): WayBack => {
  const { planDigest, preImageDigest, stableMs } = plan;
  const step = { environment, service, release, planDigest, preImageDigest, epoch };
  const { drain: rule, candidate } = plan;
  const stable = candidate?.stable.name ?? service;
  const names = {
    ...{ service, environment, release, stable },
    candidate: candidate?.workload.name ?? stable,
  };
  const draining = rule === undefined ? {} : { draining: { ports, rule, names } };
  return { ports, step, stableMs, keepReleases, kept: {}, candidate, ...draining };
};
