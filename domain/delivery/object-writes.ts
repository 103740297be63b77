import { equalJson, numberAt } from './canonical-json.ts';
import { pointerOf } from './json-pointer.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { normalised, withLiveBookkeeping } from './normalised-object.ts';
import { annotationOf, fenceOf, serviceKeyOf, withAnnotations } from './object-fence.ts';
import { diffValues } from './object-diff.ts';
import type { ChainLink, PlanEntry } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';
import { closedRoute } from './route-opening.ts';
import { withSharedReplicas } from './shared-replicas.ts';
import { rebase, type Rebased } from './three-way.ts';
import { linkMark, linksWritten } from './write-chain.ts';

/** Under whose name and epoch something is written. */
export interface WriteAuthority {
  environment: string;
  service: string;
  release: string;
  epoch: number;
}

/** What must happen to one object now; decided from the live object alone, as often as needed. */
export type WriteDecision =
  | { act: 'create'; body: KubernetesObject }
  | { act: 'patch'; target: KubernetesObject }
  | { act: 'done'; outcome: 'already-written' | 'nothing-to-do' }
  | { act: 'refuse'; code: 'FENCED' | 'FOREIGN_CHANGE'; fields: string[]; reason: string };

const refuse = (
  code: 'FENCED' | 'FOREIGN_CHANGE',
  reason: string,
  fields: string[] = [],
): WriteDecision & { act: 'refuse' } => ({ act: 'refuse', code, fields, reason });

export const fencedReason = (
  live: KubernetesObject,
  authority: WriteAuthority,
): string | undefined =>
  fenceOf(live) > authority.epoch
    ? `its fence is ${String(fenceOf(live))}, this attempt has epoch ${String(authority.epoch)}`
    : undefined;

/** The target with the annotations that say who wrote it, and under which epoch. */
export const marked = (
  object: KubernetesObject,
  authority: WriteAuthority,
  chain?: ChainLink,
): KubernetesObject => {
  const isHeld = chain?.givesBack !== true;
  return withAnnotations(object, {
    fence: String(authority.epoch),
    service: isHeld ? serviceKeyOf(authority) : undefined,
    release: isHeld ? authority.release : undefined,
    link: chain === undefined ? undefined : linkMark(chain),
    scaled: undefined,
  });
};

export const markedAsCreated = (
  body: KubernetesObject,
  authority: WriteAuthority,
  lifetime: { temporary?: true } = {},
): KubernetesObject =>
  withAnnotations(marked(body, authority), {
    createdBy: authority.release,
    ...(lifetime.temporary === true ? { temporary: 'true' } : {}),
  });

/** Did this entry, or a later one for the same object, already take effect? */
const isOwnWrite = (
  entry: PlanEntry,
  live: KubernetesObject,
  authority: WriteAuthority,
): boolean =>
  entry.chain === undefined
    ? fenceOf(live) === authority.epoch &&
      annotationOf(live, 'release') === authority.release &&
      annotationOf(live, 'service') === serviceKeyOf(authority)
    : linksWritten(live, entry.chain) >= entry.chain.link;

export const isOwnCreation = (live: KubernetesObject, authority: WriteAuthority): boolean =>
  annotationOf(live, 'createdBy') === authority.release &&
  annotationOf(live, 'service') === serviceKeyOf(authority);

/** Is the object as this release wrote it last? Undoing the write names the release before again. */
export const isOwnRelease = (live: KubernetesObject, authority: WriteAuthority): boolean =>
  annotationOf(live, 'release') === authority.release;

const decideCreate = (
  entry: PlanEntry,
  live: KubernetesObject | undefined,
  authority: WriteAuthority,
): WriteDecision => {
  if (live === undefined) {
    return { act: 'create', body: markedAsCreated(entry.body ?? entry.after, authority, entry) };
  }
  return isOwnCreation(live, authority) && fenceOf(live) === authority.epoch
    ? { act: 'done', outcome: 'already-written' }
    : refuse('FOREIGN_CHANGE', 'an object of this name appeared after the plan was made');
};

const decideActivate = (
  entry: PlanEntry,
  live: KubernetesObject | undefined,
  authority: WriteAuthority,
): WriteDecision => {
  if (live === undefined || !isOwnCreation(live, authority)) {
    return refuse('FOREIGN_CHANGE', 'the workload that this release created is not there any more');
  }
  const replicas = numberAt(live, 'spec', 'replicas') ?? 1;
  if (replicas === entry.replicas) return { act: 'done', outcome: 'already-written' };
  if (replicas !== 0) return refuse('FOREIGN_CHANGE', 'someone else scaled it', ['/spec/replicas']);
  return { act: 'patch', target: marked(withReplicas(live, entry.replicas), authority) };
};

/** Objects are compared without what an autoscaler or Kubernetes itself keeps changing. */
export const comparable = (live: KubernetesObject, entry: PlanEntry): KubernetesObject =>
  normalised(live, { autoscaledReplicas: entry.autoscaledBefore });

/** A decided target with everything that the comparison leaves out as it is live. */
export const backOnLive = (
  target: unknown,
  live: KubernetesObject,
  entry: PlanEntry,
): KubernetesObject => {
  const whole = withLiveBookkeeping(target as KubernetesObject, live);
  const replicas = numberAt(live, 'spec', 'replicas');
  return entry.autoscaledBefore && replicas !== undefined ? withReplicas(whole, replicas) : whole;
};

/** Sets the replicas of a workload whose autoscaler owns them, where the change is about them. */
export const rescaled = (
  target: KubernetesObject,
  { scale }: PlanEntry,
  side: 'before' | 'after',
): KubernetesObject => (scale === undefined ? target : withReplicas(target, scale[side]));

/** Closing a route takes out what opening put in, however far the weights have moved since. */
const forwardTarget = (
  entry: PlanEntry,
  { now, live }: { now: KubernetesObject; live: KubernetesObject },
): Rebased => {
  const { backends, chain, before, after } = entry;
  if (backends !== undefined && chain !== undefined && chain.link > 1) {
    return { target: closedRoute(now, after, backends), conflicts: [] };
  }
  const from = before === null ? null : withSharedReplicas(before, entry, live);
  return rebase({ from, to: after, live: now });
};

const decidePatch = (
  entry: PlanEntry,
  live: KubernetesObject | undefined,
  authority: WriteAuthority,
): WriteDecision => {
  if (live === undefined) return refuse('FOREIGN_CHANGE', 'someone else deleted it');
  if (live.metadata.uid !== entry.before?.metadata.uid) {
    return refuse('FOREIGN_CHANGE', 'someone else replaced it', ['/metadata/uid']);
  }
  const own = isOwnWrite(entry, live, authority);
  if (own && entry.chain !== undefined) return { act: 'done', outcome: 'already-written' };
  const now = comparable(live, entry);
  const { target, conflicts } = forwardTarget(entry, { now, live });
  if (own && (conflicts.length > 0 || equalJson(target, now))) {
    return { act: 'done', outcome: 'already-written' };
  }
  if (conflicts.length > 0) {
    return refuse(
      'FOREIGN_CHANGE',
      'someone else changed a field that the plan changes',
      conflicts,
    );
  }
  const whole = rescaled(backOnLive(target, live, entry), entry, 'after');
  return { act: 'patch', target: marked(whole, authority, entry.chain) };
};

/** What carrying out one entry of a plan means for the object as it is now. */
export const decideWrite = (
  entry: PlanEntry,
  live: KubernetesObject | undefined,
  authority: WriteAuthority,
): WriteDecision => {
  if (entry.action === 'keep') return { act: 'done', outcome: 'nothing-to-do' };
  const fenced = live === undefined ? undefined : fencedReason(live, authority);
  if (fenced !== undefined) return refuse('FENCED', fenced);
  if (entry.action === 'create') return decideCreate(entry, live, authority);
  if (entry.action === 'activate') return decideActivate(entry, live, authority);
  return decidePatch(entry, live, authority);
};

/** Fields of an object that are no longer as the plan found them; a plan is made again then. */
export const staleFields = (entry: PlanEntry, live: KubernetesObject | undefined): string[] => {
  if (entry.before === null) return live === undefined ? [] : [''];
  if (live === undefined) return [''];
  const before = comparable(entry.before, entry);
  return diffValues(before, comparable(live, entry)).map(({ path }) => pointerOf(path));
};

/**
 * An object of the plan that carries the fence from before: where it is newer, an attempt to
 * create something comes too late. A plan that only creates has none.
 */
export const fenceWitness = (entries: readonly PlanEntry[]): PlanEntry | undefined =>
  entries.find(({ action }) => action === 'patch');
