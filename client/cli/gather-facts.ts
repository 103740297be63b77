import { DeployServiceInput } from '../../contracts/delivery/deploy-service.ts';
import type { ServiceLockState } from '../../contracts/delivery/service-lock.ts';
import { ReleasePlan } from '../delivery/release-plan.ts';
import { OpsError, type DeployServiceHandle, type OpsClient } from '../index.ts';
import type { CommandTarget } from './command-lines.ts';
import type { ReleaseFacts } from './explain/release-facts.ts';
import { lookOnce } from './look-at-run.ts';

/**
 * Everything that can be said of a release now. Only the run itself must be there: what needs a
 * worker, or is not known yet, is left out.
 */
export const gatherFacts = async (
  ops: OpsClient,
  run: DeployServiceHandle,
  name: CommandTarget,
): Promise<ReleaseFacts> => {
  const [view, lock, input] = await Promise.all([lookOnce(run), lockOf(ops, name), inputOf(run)]);
  const nowMs = Date.now();
  const { progress, silence } = view;
  const hasEnded = ended.has(view.executionStatus) || progress?.status === 'finished';
  const [answers, holderStage, ending] = await Promise.all([
    // A worker that does not answer once would be waited for at each question.
    progress === null ? { plan: null, identities: [] } : answersOf(run),
    holderStageOf(ops, run, lock),
    hasEnded ? endingOf(run) : { result: null, refusal: null },
  ]);
  const { executionStatus, lastStage, pods, counts, retrying, startedAtMs, endedAtMs } = view;
  return {
    ...{ workflowId: run.workflowId, name, nowMs, startedAtMs, endedAtMs },
    ...{ executionStatus, lastStage, progress, pods, counts, retrying },
    silence: silence?.message ?? null,
    ...{ input, lock, holderStage, ...answers, ...ending },
    identities: ending.result?.evidence.identities ?? answers.identities,
  };
};

/** What only a worker can tell of the run. */
const answersOf = async (
  run: DeployServiceHandle,
): Promise<Pick<ReleaseFacts, 'plan' | 'identities'>> => {
  const [plan, evidence] = await Promise.all([orNull(run.plan()), orNull(run.evidence())]);
  return {
    plan: ReleasePlan.safeParse(plan).data ?? null,
    identities: evidence?.identities ?? [],
  };
};

const lockOf = (
  ops: OpsClient,
  { environment, service }: CommandTarget,
): Promise<ServiceLockState | null> => orNull(ops.services.state(environment, service));

/** The input as it was sent; of a run that someone started past the facade it may be anything. */
const inputOf = async (run: DeployServiceHandle): Promise<ReleaseFacts['input']> =>
  DeployServiceInput.safeParse(await run.input()).data ?? null;

const holderStageOf = async (
  ops: OpsClient,
  { workflowId }: DeployServiceHandle,
  lock: ServiceLockState | null,
): Promise<string | null> => {
  const holder = lock?.holder?.workflowId;
  if (holder === undefined || holder === workflowId) return null;
  const other = await ops.delivery.deployService.getHandle(holder);
  const progress = await orNull(other.progress());
  return progress?.stages.find(({ status }) => status === 'running')?.name ?? null;
};

const ended: ReadonlySet<string> = new Set(['COMPLETED', 'FAILED']);

const endingOf = async (
  run: DeployServiceHandle,
): Promise<Pick<ReleaseFacts, 'result' | 'refusal'>> => {
  try {
    return { result: await run.result(), refusal: null };
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const { code, message, next } = error;
    return { result: null, refusal: { code, message, next } };
  }
};

/** An answer that is not there now is no answer; the rest can still be told. */
const orNull = async <Answer>(answer: Promise<Answer>): Promise<Answer | null> => {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof OpsError) return null;
    throw error;
  }
};
