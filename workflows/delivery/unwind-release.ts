import { patched } from '@temporalio/workflow';
import type {
  PlanStep,
  RevertReceipt,
  RolloutObservation,
} from '../../activities/kubernetes/port.ts';
import type { RestorableChange } from '../../contracts/delivery/service-lock.ts';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import type { Drained } from '../../domain/delivery/drain.ts';
import type { Proof } from '../../domain/delivery/proof.ts';
import type { CompensationOutcome } from '../../domain/shared/saga-ledger.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import type { OperatorAnswer } from '../runtime/operator-desk.ts';
import type { Ports } from '../runtime/ports.ts';
import { persist } from '../runtime/saga.ts';
import type { PersistOptions, Saga, Undo } from '../runtime/saga.ts';
import { drain } from './drain-connections.ts';
import type { Draining } from './drain-connections.ts';
import {
  backReturn,
  raisedText,
  readyPodsPatch,
  returnByReadyPods,
} from './return-by-ready-pods.ts';

/** Everything that undoing a release needs; the same for a run's own way back and a restore. */
export interface WayBack {
  ports: Ports;
  /** The stored plan under the epoch of the way back, which fences the forward writes. */
  step: PlanStep & { preImageDigest: string };
  stableMs: number;
  /** Releases whose config objects stay when leftovers are swept. */
  keepReleases: string[];
  /** Where the logs of the failed version were kept, and how its connections ended. */
  kept: { logsDigest?: string; hadTraffic?: true; drains?: Drained[] };
  /** Set where open connections get time to end before the candidate's pods go. */
  draining?: Draining;
  /** Set where the new version came up beside the stable one. */
  candidate?: Candidate | undefined;
}

/** Undoes one change of the plan; harmless when the change never took effect. */
export const undoOf =
  (back: WayBack, change: RestorableChange): Undo =>
  async (budgetMs) => {
    if (change.traffic !== undefined) return moveBack(back, change, budgetMs);
    if (isCandidateStart(change)) await drainCandidate(back, change, budgetMs);
    const hasNewPods = change.rollout && change.action !== 'keep';
    const [receipt] = await Promise.all([
      revert(back, change, budgetMs),
      hasNewPods ? keepLogs(back, change) : undefined,
    ]);
    if (hasNewPods && change.action === 'patch' && receipt.outcome !== 'deleted') {
      await awaitOldVersion(back, change, { generation: receipt.generation, budgetMs });
    }
    return settlementOf(receipt);
  };

const isCandidateStart = ({ action, phase }: RestorableChange): boolean =>
  action === 'activate' && phase === 'stage';

/** Only where it had traffic: else there is nothing to wait for. */
const drainCandidate = async (
  { draining, kept }: WayBack,
  { object }: RestorableChange,
  budgetMs: number,
): Promise<void> => {
  if (draining === undefined || kept.hadTraffic === undefined || kept.drains !== undefined) return;
  const withinMs = Math.min(draining.rule.withinMs, Math.floor(budgetMs / 2));
  const rule = { ...draining.rule, withinMs };
  kept.drains = [await drain({ ...draining, rule }, object.name)];
};

/**
 * The one who served before takes the traffic back by one write, whatever the other one does.
 * Only if its ready pods carry it: traffic never goes to nobody, an operator is asked instead.
 */
const moveBack = async (
  back: WayBack,
  change: RestorableChange,
  budgetMs: number,
): ReturnType<Undo> => {
  const { services = [], before = change.object } = change.traffic ?? {};
  const observation = await servingUnlessGone(back, change, budgetMs);
  if (observation === undefined) {
    return { outcome: 'nothing-to-undo', note: `${before.name} cannot serve; the traffic stays` };
  }
  const receipt = await revert(back, change, budgetMs);
  if (receipt.outcome !== 'nothing-to-undo') back.kept.hadTraffic = true;
  const { environment, service } = back.step;
  const { replicaSet, readyReplicas: replicas } = observation;
  await back.ports.workloads.awaitEndpoints(
    {
      environment,
      service,
      services,
      replicaSetUid: replicaSet.uid,
      replicas,
      deadlineMs: budgetMs,
    },
    { summary: `wait until ${services.join(', ')} serve ${before.name} alone`, waitMs: budgetMs },
  );
  const { outcome, note } = settlementOf(receipt);
  return { outcome, note: `${note}${raisedText(observation)}` };
};

/**
 * Undoing the return gives the traffic to the candidate for a while. Where that is gone, was never
 * made or is broken, the traffic stays with the own Deployment, which the next step puts back.
 */
const servingUnlessGone = async (
  back: WayBack,
  { phase, traffic }: RestorableChange,
  budgetMs: number,
): Promise<RolloutObservation | undefined> => {
  if (traffic === undefined) return undefined;
  const { candidate } = back;
  if (phase === 'switch' && candidate !== undefined && patched(readyPodsPatch)) {
    // The Services move all of their traffic at once, so that no part of it is given before.
    return returnByReadyPods(backReturn({ ...back, candidate }, budgetMs), () =>
      Promise.resolve(true),
    );
  }
  try {
    return await isServing(back, traffic.before, budgetMs);
  } catch (error) {
    if (phase !== 'return' || codedErrorOf(error).code !== 'ROLLOUT_FAILED') throw error;
    return undefined;
  }
};

export const isServing = (
  { ports, step }: WayBack,
  object: RestorableChange['object'],
  deadlineMs: number,
): Promise<RolloutObservation> =>
  ports.workloads.awaitRollout(
    {
      environment: step.environment,
      service: step.service,
      object,
      generation: 0,
      deadlineMs,
      stableMs: 0,
    },
    { summary: `is ${object.name} ready to take the traffic back?`, waitMs: deadlineMs },
  );

const revert = (
  { ports, step }: WayBack,
  { index, step: name }: RestorableChange,
  scheduleToCloseMs: number,
): Promise<RevertReceipt> =>
  ports.releases.revert({ ...step, index }, { summary: `undo: ${name}`, scheduleToCloseMs });

/** The logs go with the pods, so they are read while these are already being replaced. */
const keepLogs = async (
  { ports, step, kept }: WayBack,
  change: RestorableChange,
): Promise<void> => {
  if (kept.logsDigest !== undefined) return;
  const summary = `keep the logs of ${describeRef(change.object)}`;
  try {
    const { logsDigest } = await ports.workloads.keepLogs(
      { ...step, object: change.object },
      { summary },
    );
    if (logsDigest !== null) kept.logsDigest = logsDigest;
  } catch {
    // Best effort: logs never hold up the way back.
  }
};

const awaitOldVersion = async (
  { ports, step, stableMs }: WayBack,
  { object }: RestorableChange,
  { generation, budgetMs }: { generation: number; budgetMs: number },
): Promise<void> => {
  const { environment, service, epoch } = step;
  const name = describeRef(object);
  const force = object.kind === 'StatefulSet' ? { forceEpoch: epoch } : {};
  await ports.workloads.awaitRollout(
    { environment, service, object, generation, deadlineMs: budgetMs, stableMs, ...force },
    { summary: `wait until ${name} runs the old version`, waitMs: budgetMs },
  );
  await ports.workloads.retire(
    { ...step, object },
    {
      summary: `delete the failed version of ${name}`,
      scheduleToCloseMs: budgetMs,
      waitMs: budgetMs,
    },
  );
};

const outcomes: Record<RevertReceipt['outcome'], CompensationOutcome> = {
  reverted: 'undone',
  deleted: 'undone',
  recreated: 'undone',
  'nothing-to-undo': 'nothing-to-undo',
  'foreign-change-preserved': 'foreign-change-preserved',
};

const settlementOf = ({ outcome, foreignFields }: RevertReceipt): Awaited<ReturnType<Undo>> => ({
  outcome: outcomes[outcome],
  note: foreignFields.length === 0 ? outcome : `kept: ${foreignFields.join(', ')}`,
});

export interface Unwinding extends PersistOptions {
  back: WayBack;
  saga: Saga;
  askAbout(what: string, why: string): Promise<OperatorAnswer>;
}

/** Undoes everything, then compares every object with its pre-image. No proof if an operator gave up. */
export const unwindAndProve = async (unwinding: Unwinding): Promise<Proof | undefined> => {
  const what = 'prove that everything is as before';
  await unwinding.saga.unwind();
  for (;;) {
    try {
      return await persist(what, unwinding, (budgetMs) => proveBack(unwinding, budgetMs));
    } catch (error) {
      const { verb } = await unwinding.askAbout(what, codedErrorOf(error).message);
      if (verb === 'skip' || verb === 'abort') return undefined;
    }
  }
};

/**
 * A create that was abandoned may land after its undo found nothing. What it left is
 * swept once and the comparison repeated, unless an operator said to leave things be.
 */
const proveBack = async ({ back, saga }: Unwinding, scheduleToCloseMs: number): Promise<Proof> => {
  const { ports, step, keepReleases } = back;
  const prove = (): Promise<Proof> =>
    ports.releases.prove(
      { ...step, direction: 'back' },
      { summary: 'prove that everything is as before', scheduleToCloseMs },
    );
  const proof = await prove();
  const hasLeftovers = proof.rows.some(({ verdict }) => verdict === 'leftover');
  if (!hasLeftovers || saga.ledger().some(({ state }) => state === 'skipped')) return proof;
  const { environment, service, epoch, release } = step;
  await ports.releases.prune(
    { environment, service, epoch, keepReleases, unwoundReleases: [release] },
    { summary: `sweep what ${release} left behind`, scheduleToCloseMs },
  );
  return prove();
};
