import { setTimeout as delay } from 'node:timers/promises';
import { guardedPatch } from '../../domain/delivery/guarded-patch.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../domain/delivery/manifest-set.ts';
import { decideWrite, fencedReason, fenceWitness } from '../../domain/delivery/object-writes.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { isAlreadyThere, isPreconditionFailure } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { createObject, patchObject, readObject } from './object-access.ts';
import type { Releases, WriteReceipt } from './port.ts';
import { aboutObject, openPlan, type OpenPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { entryAt } from './stored-plans.ts';

type WriteRequest = Parameters<Releases['write']>[0];

/** How often a write is decided anew within one attempt, because the object changed meanwhile. */
const mostDecisions = 8;

/** Lets the other writer finish; status updates of a rollout come in bursts. */
const pauseMs = 40;

/**
 * Decides, acts, and decides again where a guard failed. Each round reads the object first, so
 * that a write whose answer was lost is found, and nothing is written twice.
 */
export const untilDecided = async <T>(
  subject: string,
  round: () => Promise<T | undefined>,
): Promise<T> => {
  const attempt = currentAttempt();
  for (let tries = 0; tries < mostDecisions; tries += 1) {
    throwIfCancelled(attempt);
    attempt.heartbeat({ subject, tries });
    try {
      const result = await round();
      if (result !== undefined) return result;
    } catch (error) {
      if (!isPreconditionFailure(error) && !isAlreadyThere(error)) throw error;
    }
    await delay(pauseMs * (tries + 1));
  }
  throw codedFailure({
    code: 'WRITE_CONFLICT',
    message: `${subject} changed ${String(mostDecisions)} times while it was about to be written; nothing was written.`,
    subject,
  });
};

/**
 * The server counts an attempt as lost after its time and may start another one; from then on
 * this one must not write. It is stopped here even when the process was frozen meanwhile.
 */
export const refuseLateWrite = (subject: string): void => {
  const { endsAtMs } = currentAttempt();
  if (endsAtMs === undefined || Date.now() < endsAtMs) return;
  throw codedFailure({
    code: 'WRITE_CONFLICT',
    message: `${subject} was not written: the time of this attempt is over, another one decides.`,
    subject,
  });
};

/** Patches the live object to the target and to nothing else. */
export const writeGuarded = async (
  cluster: Cluster,
  live: KubernetesObject,
  target: KubernetesObject,
): Promise<KubernetesObject> => {
  const ref = refOf(live);
  refuseLateWrite(describeRef(ref));
  return patchObject(cluster, { ref, operations: guardedPatch(live, target) });
};

const receipt = (
  outcome: WriteReceipt['outcome'],
  object: KubernetesObject | undefined,
): WriteReceipt => ({
  outcome,
  uid: object?.metadata.uid ?? '',
  generation: object?.metadata.generation ?? 0,
});

const refusal = (code: 'FENCED' | 'FOREIGN_CHANGE', subject: string, reason: string): Error =>
  codedFailure({ code, message: `${subject}: ${reason}; nothing was written.`, subject });

/** A creation carries no old fence; another object of the plan tells whether it comes too late. */
const refuseLateCreation = async (
  { cluster, plan }: OpenPlan,
  entry: PlanEntry,
  request: WriteRequest,
): Promise<void> => {
  const witness = fenceWitness(plan.entries);
  const live = witness === undefined ? undefined : await readObject(cluster, witness.object);
  const reason = live === undefined ? undefined : fencedReason(live, request);
  if (reason === undefined || witness === undefined) return;
  throw refusal('FENCED', describeRef(entry.object), `of ${describeRef(witness.object)} ${reason}`);
};

const writeOnce = async (
  open: OpenPlan,
  entry: PlanEntry,
  request: WriteRequest,
): Promise<WriteReceipt> => {
  const { cluster } = open;
  const subject = describeRef(entry.object);
  const live = await readObject(cluster, entry.object);
  const decision = decideWrite(entry, live, request);
  if (decision.act === 'done') return receipt(decision.outcome, live);
  if (decision.act === 'refuse') {
    const fields = decision.fields.length === 0 ? '' : ` (${decision.fields.join(', ')})`;
    throw refusal(decision.code, subject, `${decision.reason}${fields}`);
  }
  if (decision.act === 'create') {
    await refuseLateCreation(open, entry, request);
    refuseLateWrite(subject);
    return receipt('written', await createObject(cluster, decision.body));
  }
  if (live === undefined) throw refusal('FOREIGN_CHANGE', subject, 'it is not there');
  return receipt('written', await writeGuarded(cluster, live, decision.target));
};

/** Carries out one change of the plan, at most once however often it is tried. */
export const writeChange = async (
  deps: ReleaseDeps,
  request: WriteRequest,
): Promise<WriteReceipt> => {
  const open = await openPlan(deps, request);
  const entry = entryAt(open.plan, request.index);
  return translated(aboutObject(entry.object), async () =>
    untilDecided(describeRef(entry.object), async () => writeOnce(open, entry, request)),
  );
};
