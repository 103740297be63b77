import { patched } from '@temporalio/workflow';
import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import type { LockGrant } from '../../contracts/delivery/service-lock.ts';
import type { CodedError } from '../../contracts/errors.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import type { Proof } from '../../domain/delivery/proof.ts';
import { outcomeOfRestore } from '../../domain/delivery/release-outcome.ts';
import { closeForward } from '../../domain/delivery/release-stage.ts';
import { codedErrorOf, codedFailure } from '../runtime/failures.ts';
import { persist } from '../runtime/saga.ts';
import { announce, notifyAll } from './announce.ts';
import { askOperator, compensationsOf, unwindOptions } from './ask-operator.ts';
import type { PreparedRelease } from './prepare-release.ts';
import { releaseLock } from './release-lock.ts';
import type { ReleaseRun } from './release-run.ts';
import { begin, end } from './run-step.ts';
import type { WayBack } from './unwind-release.ts';
import { unwindAndProve } from './unwind-release.ts';
import { tellEnding } from './tell-ending.ts';

/** How far a release got; the way back starts from here. */
export interface Attempt {
  grant?: LockGrant;
  prepared?: PreparedRelease;
  back?: WayBack;
}

/** Everything is new and proven: what nothing needs any more goes, and the lock is free. */
export const finalise = async (
  run: ReleaseRun,
  { grant, prepared }: Attempt,
  proof: Proof,
): Promise<DeployServiceResult> => {
  const candidate = prepared?.plan.candidate;
  if (prepared !== undefined && candidate !== undefined) {
    begin(run, { stage: 'finalise' });
    await clearCandidate(run, prepared);
  }
  run.state.status = 'finished';
  run.state.outcome = 'deployed';
  begin(run, { stage: 'finalise' });
  const cleared = candidate === undefined ? '' : `${candidate.workload.name} deleted, `;
  end(run, 'finalise', { status: 'done', note: `${cleared}${await prune(run, grant)}` });
  run.show({ stage: 'finished', outcome: 'deployed' });
  const { service, environment, release } = run.input;
  await Promise.all([
    releaseLock(run, 'deployed', digestsOf(run, prepared)),
    announce(run, 'deployed', `${service} ${release} runs in ${environment}, proven.`),
    tellEnding(run, { outcome: 'deployed', prepared }),
  ]);
  return resultOf(run, { outcome: 'deployed', prepared, proof });
};

/**
 * Deletes what existed for the time of the rollout only, the last first. Nothing routes to it
 * any more; what cannot be deleted is not forgotten: an operator is asked.
 */
const clearCandidate = async (
  run: ReleaseRun,
  { plan, forward }: PreparedRelease,
): Promise<void> => {
  const options = unwindOptions(run, run.input.compensationDeadlineMs);
  const made = plan.changes.filter(
    ({ temporary, action }) => temporary === true && action === 'create',
  );
  for (const { index, object } of made.reverse()) {
    const what = `delete ${describeRef(object)}`;
    const attempt = (scheduleToCloseMs: number): Promise<unknown> =>
      run.ports.releases.revert({ ...forward, index }, { summary: what, scheduleToCloseMs });
    await untilDoneOrLeft(run, what, () => persist(what, options, attempt));
  }
};

const untilDoneOrLeft = async (
  run: ReleaseRun,
  what: string,
  attempt: () => Promise<unknown>,
): Promise<void> => {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      const { verb } = await askOperator(run, what, codedErrorOf(error).message);
      run.state.status = 'running';
      if (verb === 'skip' || verb === 'abort') return;
    }
  }
};

/** Cleaning up cannot undo what is proven; what stays is swept by the next release. */
const prune = async (run: ReleaseRun, grant: LockGrant | undefined): Promise<string> => {
  const { environment, service, release } = run.input;
  const { epoch = 0, keepReleases = [], unwoundReleases = [] } = grant ?? {};
  const request = { environment, service, epoch, unwoundReleases };
  try {
    const { deleted } = await run.ports.releases.prune(
      { ...request, keepReleases: [release, ...keepReleases] },
      { summary: 'delete config objects that nothing needs any more' },
    );
    return `${deleted.length} outdated objects deleted`;
  } catch (error) {
    return `outdated objects were not deleted: ${codedErrorOf(error).message}`;
  }
};

/** Puts back what was written, or refuses the release where nothing was. */
export const giveBack = async (
  run: ReleaseRun,
  attempt: Attempt,
  error: unknown,
): Promise<DeployServiceResult> => {
  const failure = run.control.stopped() ?? codedErrorOf(error);
  const running = run.state.stages.find(({ status }) => status === 'running');
  run.state.failedStep ??= running?.name ?? 'release';
  run.state.failure = failure;
  run.state.stages = closeForward(run.state.stages, Date.now());
  delete run.state.waitingFor;
  const { prepared, back } = attempt;
  if (prepared === undefined || back === undefined || run.saga.ledger().length === 0) {
    return refuse(run, failure);
  }
  return unwind(run, { prepared, back, failure, failedAtMs: Date.now() });
};

const refuse = async (run: ReleaseRun, failure: CodedError): Promise<never> => {
  run.state.status = 'finished';
  run.state.outcome = 'refused';
  run.show({ stage: 'finished', outcome: 'refused' });
  await Promise.all([
    releaseLock(run, 'refused', {}),
    announce(run, 'refused', `${failure.message} Nothing was touched.`),
  ]);
  throw codedFailure(failure);
};

interface Undoing {
  prepared: PreparedRelease;
  back: WayBack;
  failure: CodedError;
  failedAtMs: number;
}

const unwind = async (
  run: ReleaseRun,
  { prepared, back, failure, failedAtMs }: Undoing,
): Promise<DeployServiceResult> => {
  run.state.status = 'unwinding';
  begin(run, { stage: 'unwind', found: 'unwind' });
  const proof = await unwindAndProve({
    ...unwindOptions(run, run.input.compensationDeadlineMs),
    back,
    saga: run.saga,
    askAbout: (what, why) => askOperator(run, what, why),
  });
  const outcome = outcomeOfRestore(run.saga.ledger(), proof);
  end(run, 'unwind', { status: 'done', note: outcome });
  const { logsDigest, drains = [] } = back.kept;
  if (logsDigest !== undefined) run.evidence.logsDigest = logsDigest;
  if (drains.length > 0) run.evidence.drains = [...(run.evidence.drains ?? []), ...drains];
  Object.assign(run.state, { status: 'finished', outcome });
  run.show({ stage: 'finished', outcome });
  const { service, release } = run.input;
  await Promise.all([
    releaseLock(run, outcome, digestsOf(run, prepared)),
    announce(
      run,
      'restored',
      `${service} ${release} was put back (${outcome}): ${failure.message}`,
    ),
    openIncident(run, { prepared, outcome, failure }),
    tellEnding(run, { outcome, prepared, failedAtMs }),
  ]);
  return resultOf(run, { outcome, prepared, proof: proof ?? noProof });
};

/** Runs from before this event was sent replay without it. */
const incidentPatch = 'incident-open';

/** A release that failed by itself is an incident; one that somebody stopped is not. */
const openIncident = async (
  run: ReleaseRun,
  { prepared, outcome, failure }: Pick<Undoing, 'prepared' | 'failure'> & { outcome: string },
): Promise<void> => {
  if (failure.code === 'ABORTED' || !patched(incidentPatch)) return;
  const { service, environment, release } = run.input;
  const { preImageDigest, logsDigest } = run.evidence;
  await notifyAll(run, {
    event: 'incident.open',
    text: `${service} ${release} failed in ${environment} and was put back: ${failure.message}`,
    incident: {
      failedStep: run.state.failedStep ?? '',
      code: failure.code,
      outcome,
      gates: run.state.gates.map(({ name, verdict, note }) => ({ name, verdict, note })),
      planDigest: prepared.plan.planDigest,
      ...(preImageDigest === undefined ? {} : { preImageDigest }),
      ...(logsDigest === undefined ? {} : { logsDigest }),
    },
  });
};

const noProof: Proof = { direction: 'back', rows: [], ignored: [] };

const digestsOf = (
  run: ReleaseRun,
  prepared: PreparedRelease | undefined,
): { manifestsDigest: string; planDigest?: string; preImageDigest?: string } => ({
  manifestsDigest: run.input.manifestsDigest,
  ...(prepared === undefined
    ? {}
    : { planDigest: prepared.plan.planDigest, preImageDigest: prepared.preImageDigest }),
});

interface Ending {
  outcome: DeployServiceResult['outcome'];
  prepared: PreparedRelease | undefined;
  proof: Proof;
}

const resultOf = (run: ReleaseRun, { outcome, prepared, proof }: Ending): DeployServiceResult => {
  const { failedStep, failure, epoch = 0, gates } = run.state;
  const failed = outcome === 'deployed' ? {} : { failedStep, failure };
  return {
    outcome,
    release: run.input.release,
    epoch,
    planDigest: prepared?.plan.planDigest ?? '',
    ...failed,
    compensations: compensationsOf(run.saga.ledger()),
    gates,
    proof,
    evidence: run.evidence,
  };
};
