/**
 * Releases one service to one environment (requirement 003-1). It ends with everything new
 * and proven, or with everything exactly as before, proven object by object; what cannot be
 * undone is kept in `needs-operator` with the verbs that resolve it. A crash of any process
 * is survived: every write finds out whether an earlier attempt took effect. Undone are all
 * writes to the cluster, in reverse order, under an epoch that fences late attempts.
 */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type {
  DeployServiceInput,
  DeployServiceResult,
} from '../../contracts/delivery/deploy-service.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import type { Proof } from '../../domain/delivery/proof.ts';
import { unprovenRows } from '../../domain/delivery/release-outcome.ts';
import { withLinesAfter } from '../../domain/delivery/release-stage.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { identityEvidence } from '../runtime/messages.ts';
import { portsOf } from '../runtime/ports.ts';
import { stopWhenCancelled } from '../runtime/run-control.ts';
import { createSaga } from '../runtime/saga.ts';
import { waitsOf } from '../runtime/timeouts.ts';
import { parseInput } from '../runtime/validation.ts';
import { announce } from './announce.ts';
import { carryOut } from './carry-out.ts';
import { finalise, giveBack } from './finish-release.ts';
import type { Attempt } from './finish-release.ts';
import { prepareRelease } from './prepare-release.ts';
import type { PreparedRelease } from './prepare-release.ts';
import { queryNamesOf } from './query-names.ts';
import { takeLock } from './release-lock.ts';
import { acceptReleaseMessages, hearLock } from './release-messages.ts';
import { openRun, verifyRequester } from './release-run.ts';
import type { OpenRun, ReleaseRun } from './release-run.ts';
import { unwindOptions } from './ask-operator.ts';
import { begin, end, step } from './run-step.ts';
import type { WayBack } from './unwind-release.ts';
import { linesAfterBake } from './verify-release.ts';

export async function deployService(request: unknown): Promise<DeployServiceResult> {
  const open = openRun(lockHold);
  acceptReleaseMessages(open);
  hearLock(open);
  stopWhenCancelled(open.control);
  // One way to end: cancellation, abort and deadline all stop the forward moves below.
  return CancellationScope.nonCancellable(async () => {
    const run = await validate(open, request);
    const attempt: Attempt = {};
    try {
      return await run.control
        .forward(deadlineMsOf(run.input), () => release(run, attempt))
        .then(
          (proof) => finalise(run, attempt, proof),
          (error: unknown) => giveBack(run, attempt, error),
        );
    } finally {
      await condition(allHandlersFinished);
    }
  });
}

/** The forward moves, in the order of the runbook. */
const release = async (run: ReleaseRun, attempt: Attempt): Promise<Proof> => {
  const grant = await lock(run);
  attempt.grant = grant;
  const prepared = await prepareRelease(run, grant);
  attempt.prepared = prepared;
  const back = wayBack(run, prepared, grant.keepReleases);
  attempt.back = back;
  await carryOut(run, prepared, back);
  return prove(run, prepared);
};

/** The stops of a rollout are planned waiting; the deadline is for everything else. */
const deadlineMsOf = ({ deadlineMs, strategy, drain }: DeployServiceInput): number =>
  'steps' in strategy
    ? strategy.steps.reduce(
        (sum, { forMs }) => sum + forMs,
        deadlineMs + 2 * (drain?.withinMs ?? 0),
      )
    : deadlineMs;

/** The clock of the release stands still until it has the lock. */
const lockHold = 'lock';

const validate = async (open: OpenRun, request: unknown): Promise<ReleaseRun> => {
  begin(open, { stage: 'validate' });
  const { input: parsed, timeoutProfile } = await parseInput('DEL-04', request);
  const input = parsed as DeployServiceInput;
  const { service, environment, release: name, requestedBy } = input;
  Object.assign(open.state, { service, environment, release: name });
  open.state.stages = withLinesAfter(open.state.stages, 'bake', linesAfterBake(input));
  const waits = waitsOf(timeoutProfile);
  const valid = Object.assign(open, {
    input,
    request,
    timeoutProfile,
    waits,
    ports: portsOf(timeoutProfile),
  });
  const saga = createSaga(unwindOptions(valid, input.compensationDeadlineMs));
  const run: ReleaseRun = Object.assign(valid, { saga });
  run.show({ service, environment, release: name });
  const requester = await requesterOf(run);
  const { reason } = requestedBy;
  run.evidence.identities.push(identityEvidence('deploy', requester, reason));
  end(run, 'validate', { status: 'done', note: `asked for by ${requester.actor}: ${reason}` });
  return run;
};

/** A run that nobody may start ends with the code before it asks for the lock. */
const requesterOf = async (run: ReleaseRun): Promise<VerifiedActor> => {
  const requester = await verifyRequester(run).catch((error: unknown) => {
    throw codedFailure(codedErrorOf(error));
  });
  const problem = unknowableGroups(run.input.approvals, requester);
  if (problem !== undefined) throw codedFailure({ code: 'INVALID_INPUT', message: problem });
  return requester;
};

const unknowableGroups = (
  approvals: DeployServiceInput['approvals'],
  { verification }: VerifiedActor,
): string | undefined =>
  verification === 'verified' || approvals.every(({ groups }) => groups === undefined)
    ? undefined
    : 'approvals.0.groups: nobody is asked to prove who they are here, so that nobody is known to be in a group. Nothing was changed. Set HOLDFAST_ACCESS for the workers, or leave `groups` out.';

const lock = async (run: ReleaseRun): Promise<NonNullable<OpenRun['lock']['grant']>> => {
  begin(run, { stage: 'lock', found: 'lock' });
  const grant = await takeLock(run);
  run.control.lift(lockHold);
  run.state.epoch = grant.epoch;
  end(run, 'lock', { status: 'done', note: `epoch ${grant.epoch}` });
  const { service, release: name, environment, requestedBy } = run.input;
  void announce(
    run,
    'started',
    `${requestedBy.actor} releases ${service} ${name} to ${environment}`,
  );
  return grant;
};

const wayBack = (run: ReleaseRun, prepared: PreparedRelease, keepReleases: string[]): WayBack => ({
  ports: run.ports,
  step: { ...prepared.forward, epoch: prepared.forward.epoch + 1 },
  stableMs: run.input.stableMs,
  keepReleases,
  kept: {},
  candidate: prepared.plan.candidate,
  ...(run.input.drain === undefined ? {} : { draining: drainingOf(run, run.input.drain) }),
});

const drainingOf = (
  run: ReleaseRun,
  rule: NonNullable<DeployServiceInput['drain']>,
): NonNullable<WayBack['draining']> => ({ ports: run.ports, rule, names: queryNamesOf(run) });

const prove = async (run: ReleaseRun, { forward }: PreparedRelease): Promise<Proof> => {
  const proof = await step(run, { stage: 'prove', found: 'prove' }, async () => {
    const seen = await run.ports.releases.prove(
      { ...forward, direction: 'forward' },
      { summary: 'prove that everything is as planned' },
    );
    const wrong = unprovenRows(seen).map(
      ({ object, verdict }) => `${describeRef(object)} ${verdict}`,
    );
    if (wrong.length > 0) {
      const message = `The proof found what the plan does not say: ${wrong.join(', ')}.`;
      throw codedFailure({ code: 'FOREIGN_CHANGE', message });
    }
    return { value: seen, note: `${seen.rows.length} objects` };
  });
  if (proof === undefined) throw codedFailure({ code: 'INTERNAL', message: 'There is no proof.' });
  return proof;
};
