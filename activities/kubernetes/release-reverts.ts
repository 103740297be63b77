import { setTimeout as delay } from 'node:timers/promises';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { isWorkload, refOf } from '../../domain/delivery/manifest-set.ts';
import { decideRevert } from '../../domain/delivery/object-reverts.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { createObject, deleteObject, readObject } from './object-access.ts';
import type { Releases, RevertReceipt } from './port.ts';
import { aboutObject, openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { refuseLateWrite, untilDecided, writeGuarded } from './release-writes.ts';
import { capturedOf, entryAt, readPreImage } from './stored-plans.ts';

type RevertRequest = Parameters<Releases['revert']>[0];

const pollMs = 100;

/**
 * Deletes the object with the uid that it has now and waits until it, and for a workload its
 * pods, are gone: only then does the next step of the way back find what was there before.
 */
export const deleteAndAwait = async (cluster: Cluster, live: KubernetesObject): Promise<void> => {
  const ref = refOf(live);
  const uid = live.metadata.uid ?? '';
  const foreground = isWorkload(ref);
  if (live.metadata['deletionTimestamp'] === undefined) {
    refuseLateWrite(describeRef(ref));
    await deleteObject(cluster, { ref, uid, foreground });
  }
  const attempt = currentAttempt();
  for (;;) {
    const left = await readObject(cluster, ref);
    if (left === undefined || left.metadata.uid !== uid) return;
    attempt.heartbeat({ deleting: describeRef(ref) });
    await delay(pollMs);
    throwIfCancelled(attempt);
  }
};

const undone = (
  outcome: RevertReceipt['outcome'],
  object: KubernetesObject | undefined,
  foreignFields: string[] = [],
): RevertReceipt => ({ outcome, foreignFields, generation: object?.metadata.generation ?? 0 });

const fenced = (subject: string, reason: string): Error =>
  codedFailure({
    code: 'FENCED',
    message: `${subject} was not put back: ${reason}; nothing was written.`,
    subject,
  });

const isGone = async (cluster: Cluster, ref: ObjectRef | undefined): Promise<boolean> => {
  if (ref === undefined) return false;
  const found = await readObject(cluster, ref);
  return found === undefined || found.metadata['deletionTimestamp'] !== undefined;
};

const revertOnce = async (
  cluster: Cluster,
  sides: { entry: PlanEntry; preImage: KubernetesObject | undefined },
  request: RevertRequest,
): Promise<RevertReceipt> => {
  const { entry, preImage } = sides;
  const subject = describeRef(entry.object);
  const live = await readObject(cluster, entry.object);
  const isOrphaned = await isGone(cluster, entry.chain?.needs);
  const decision = decideRevert(entry, { live, preImage, isOrphaned }, request);
  switch (decision.act) {
    case 'refuse':
      throw fenced(subject, decision.reason);
    case 'done':
      return undone(decision.outcome, live, decision.foreignFields);
    case 'recreate':
      refuseLateWrite(subject);
      return undone('recreated', await createObject(cluster, decision.body));
    case 'delete':
      if (live !== undefined) await deleteAndAwait(cluster, live);
      return undone('deleted', undefined);
    case 'patch': {
      const target = decision.target;
      const stored = live === undefined ? undefined : await writeGuarded(cluster, live, target);
      return undone(decision.outcome, stored, decision.foreignFields);
    }
  }
};

/** Undoes one change exactly; what others changed meanwhile is kept and listed. */
export const revertChange = async (
  deps: ReleaseDeps,
  request: RevertRequest,
): Promise<RevertReceipt> => {
  const { cluster, plan } = await openPlan(deps, request);
  const entry = entryAt(plan, request.index);
  const captured = capturedOf(await readPreImage(deps.blobs, request.preImageDigest), entry.object);
  const preImage = captured?.object ?? undefined;
  return translated(aboutObject(entry.object), async () =>
    untilDecided(describeRef(entry.object), async () =>
      revertOnce(cluster, { entry, preImage }, request),
    ),
  );
};
