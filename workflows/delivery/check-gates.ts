import { CancellationScope } from '@temporalio/workflow';
import type { ProbeTarget } from '../../activities/traffic/port.ts';
import type { CheckInput } from '../../contracts/delivery/release-check.ts';
import {
  checkNames,
  combineChecks,
  judgeCommand,
  judgeJob,
} from '../../domain/delivery/check-verdict.ts';
import { judgeSmoke, notMeasured } from '../../domain/delivery/gate.ts';
import type { GateResult } from '../../domain/delivery/gate.ts';
import { codedErrorOf, codedFailure, refuseInput } from '../runtime/failures.ts';
import { gate, keepGate } from './gates.ts';
import { measureSmoke } from './measure-gates.ts';
import type { PreparedRelease } from './prepare-release.ts';
import type { Evidence, ReleaseRun } from './release-run.ts';
import { end } from './run-step.ts';

type Check<Field extends string> = Extract<CheckInput, Record<Field, unknown>>;

/** A few things that must hold of the new version. */
interface ChecksGate {
  name: 'smoke' | 'preview' | 'preview by header' | 'verification';
  target: ProbeTarget;
  checks: readonly CheckInput[];
  prepared: PreparedRelease;
  /** The version that must answer requests, where it can be told. */
  version?: string | undefined;
}

export const checksGate = async (run: ReleaseRun, asked: ChecksGate): Promise<void> => {
  const { name, checks } = asked;
  if (checks.length === 0) {
    end(run, name, { status: 'skipped', note: 'no check asked for' });
    return;
  }
  const failureCode = name === 'verification' ? 'VERIFICATION_FAILED' : 'SMOKE_FAILED';
  await gate(run, { name, failureCode }, () => measureChecks(run, asked));
};

export const isPath = (check: CheckInput): check is Check<'path'> => 'path' in check;

/** Requests to the service first, then the others one by one, until one fails. */
const measureChecks = async (run: ReleaseRun, asked: ChecksGate): Promise<GateResult> => {
  const { name, target, checks, version } = asked;
  const paths = checks.filter(isPath);
  const requests =
    paths.length === 0 ? [] : [await measureSmoke(run, { name, target, checks: paths, version })];
  if (paths.length === checks.length && requests[0] !== undefined) return requests[0];
  const results = requests.map((result): GateResult => ({ ...result, name: 'requests' }));
  const names = checkNames(checks);
  for (const [index, check] of checks.entries()) {
    if (isPath(check)) continue;
    if (results.some(({ verdict }) => verdict === 'fail')) break;
    const result = await measureCheck(run, asked, { check, title: names[index] ?? '' });
    keepGate(run, { ...result, name: `${name}: ${result.name}` });
    results.push(result);
  }
  return combineChecks(name, results);
};

interface TitledCheck<Kind> {
  check: Kind;
  title: string;
}

const measureCheck = (
  run: ReleaseRun,
  asked: ChecksGate,
  { check, title }: TitledCheck<Exclude<CheckInput, Check<'path'>>>,
): Promise<GateResult> => {
  if ('url' in check) return measureUrl(run, asked, { check, title });
  return 'exec' in check
    ? measureCommand(run, asked, { check, title })
    : measureJob(run, asked, { check, title });
};

const measureUrl = async (
  run: ReleaseRun,
  { name }: ChecksGate,
  { check, title }: TitledCheck<Check<'url'>>,
): Promise<GateResult> => {
  const { smokeDeadlineMs: deadlineMs } = run.waits;
  const { environment } = run.input;
  const { url, expectStatus, expectBody } = check;
  const asked = { url, expectStatus, ...(expectBody === undefined ? {} : { expectBody }) };
  const answer = await run.ports.probes.reach(
    { environment, check: asked, deadlineMs },
    { summary: `${name}: ${title}`.slice(0, 100), waitMs: deadlineMs },
  );
  keepAnswer(run, { gate: name, check: title, answer: answer.answer });
  return judgeSmoke(title, [{ ...answer, check: { path: url } }]);
};

/** All attempts together may take this much longer than one, e.g. where a worker was lost. */
const attemptsGraceMs = 60_000;

const measureCommand = async (
  run: ReleaseRun,
  { name, prepared }: ChecksGate,
  { check, title }: TitledCheck<Check<'exec'>>,
): Promise<GateResult> => {
  const { environment, service } = run.input;
  const { exec: command, container, timeoutMs } = check;
  const where = container === undefined ? {} : { container };
  const outcome = await run.ports.checks.exec(
    { environment, service, object: newVersionOf(prepared), command, ...where, timeoutMs },
    {
      summary: `${name}: ${title}`.slice(0, 100),
      waitMs: timeoutMs,
      scheduleToCloseMs: timeoutMs + attemptsGraceMs,
    },
  );
  if (!outcome.measured) return notMeasured(title, outcome.reason);
  const { answer, outputDigest } = outcome;
  keepAnswer(run, { gate: name, check: title, answer, ...digestIn(outputDigest) });
  return judgeCommand(title, outcome);
};

const measureJob = async (
  run: ReleaseRun,
  { name, prepared }: ChecksGate,
  { check, title }: TitledCheck<Check<'job'>>,
): Promise<GateResult> => {
  run.jobsRun = (run.jobsRun ?? 0) + 1;
  const { manifestsDigest } = run.input;
  const { job, deadlineMs } = check;
  const { preImageDigest: _notNeeded, ...step } = prepared.forward;
  const target = { ...step, manifestsDigest, job, key: `${name}:${run.jobsRun}` };
  const summary = `${name}: ${title}`.slice(0, 100);
  try {
    const outcome = await run.ports.checks.runJob(
      { ...target, deadlineMs },
      { summary, waitMs: deadlineMs, scheduleToCloseMs: deadlineMs + attemptsGraceMs },
    );
    const { end: ended, note, logDigest } = outcome;
    keepAnswer(run, { gate: name, check: title, answer: note, ...digestIn(logDigest) });
    return judgeJob(title, ended, note);
  } finally {
    // Also where the release is stopped meanwhile; its end, where there is one, is on record.
    await CancellationScope.nonCancellable(() => deleteJob(run, target, title));
  }
};

const deleteJobWithinMs = 15_000;

/** Best effort: a Job that stays is marked as ours and holds up nothing. */
const deleteJob = async (
  run: ReleaseRun,
  target: Parameters<ReleaseRun['ports']['checks']['deleteJob']>[0],
  title: string,
): Promise<void> => {
  try {
    await run.ports.checks.deleteJob(target, {
      summary: `delete ${title}`.slice(0, 100),
      scheduleToCloseMs: deleteJobWithinMs,
    });
  } catch (error) {
    run.note(`${title} was not deleted: ${codedErrorOf(error).message}`);
  }
};

const digestIn = (outputDigest: string | null): { outputDigest?: string } =>
  outputDigest === null ? {} : { outputDigest };

/** More answers than this are not kept; a gate that is tried again and again must fit too. */
const mostAnswers = 100;

const keepAnswer = (run: ReleaseRun, answer: NonNullable<Evidence['checks']>[number]): void => {
  run.evidence.checks = [...(run.evidence.checks ?? []), answer].slice(-mostAnswers);
};

/** The workload that runs the new version. */
const newVersionOf = ({
  plan,
}: PreparedRelease): PreparedRelease['plan']['changes'][number]['object'] => {
  const rolled = plan.changes.find(({ rollout }) => rollout !== undefined);
  const any = plan.changes.find(({ object }) => object.kind === 'Deployment');
  const object = plan.candidate?.workload ?? (rolled ?? any)?.object;
  if (object !== undefined) return object;
  throw codedFailure({
    code: 'NO_DATA',
    message: 'The release has no Deployment in whose pods a command could be run.',
  });
};

/** Refuses checks that cannot be made before anything is planned. */
export const checkChecks = async (run: ReleaseRun): Promise<void> => {
  const { environment, service, release, smoke, verification = [] } = run.input;
  const checks = [
    ...smoke.map((check, index) => ({ check, field: `smoke[${index}]` })),
    ...verification.map((check, index) => ({ check, field: `verification[${index}]` })),
  ];
  const jobs = checks.flatMap(({ check, field }) =>
    'job' in check ? [{ field: `${field}.job`, job: check.job }] : [],
  );
  const exec = checks.some(({ check }) => 'exec' in check);
  if (jobs.length === 0 && !exec) return;
  const problems = await run.ports.checks.validate(
    { environment, service, release, jobs, exec },
    { summary: 'validate the checks, dry-run their Jobs' },
  );
  refuseInput(problems);
};
