import { copyJson, equalJson, isRecord, numberAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { annotationOf, fenceOf, withAnnotations } from './object-fence.ts';
import {
  backOnLive,
  comparable,
  fencedReason,
  isOwnCreation,
  isOwnRelease,
  marked,
  rescaled,
  type WriteAuthority,
} from './object-writes.ts';
import type { ChainLink, PlanEntry } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';
import { withOwnPause } from './rollout-pause.ts';
import { closedRoute } from './route-opening.ts';
import { withSharedReplicas } from './shared-replicas.ts';
import { rebase, type Rebased } from './three-way.ts';
import { linksWritten } from './write-chain.ts';

/** Filled in by the API server; an object that is created must not bring them. */
const serverFields = ['uid', 'resourceVersion', 'generation', 'managedFields', 'creationTimestamp'];

export interface RevertSides {
  live: KubernetesObject | undefined;
  preImage: KubernetesObject | undefined;
  /** What the state before the write leads to is gone. */
  isOrphaned?: boolean;
}

export type RevertDecision =
  | { act: 'delete' }
  | { act: 'recreate'; body: KubernetesObject }
  | {
      act: 'patch';
      target: KubernetesObject;
      outcome: 'reverted' | 'nothing-to-undo' | 'foreign-change-preserved';
      foreignFields: string[];
    }
  | {
      act: 'done';
      outcome: 'reverted' | 'recreated' | 'nothing-to-undo' | 'foreign-change-preserved';
      foreignFields: string[];
    }
  | { act: 'refuse'; code: 'FENCED'; reason: string };

const done = (
  outcome: (RevertDecision & { act: 'done' })['outcome'],
  foreignFields: string[] = [],
): RevertDecision => ({ act: 'done', outcome, foreignFields });

const undoCreate = (live: KubernetesObject, authority: WriteAuthority): RevertDecision =>
  isOwnCreation(live, authority) ? { act: 'delete' } : done('foreign-change-preserved', ['']);

const undoActivate = (live: KubernetesObject, authority: WriteAuthority): RevertDecision => {
  if (!isOwnCreation(live, authority)) return done('nothing-to-undo');
  const active = (numberAt(live, 'spec', 'replicas') ?? 1) > 0;
  if (!active && fenceOf(live) === authority.epoch) return done('reverted');
  const target = withAnnotations(withReplicas(live, 0), { fence: String(authority.epoch) });
  const outcome = active ? 'reverted' : 'nothing-to-undo';
  return { act: 'patch', target, outcome, foreignFields: [] };
};

/** What the release wrote, with what its own autoscaler or its own pause did to it since. */
const writtenByUs = (entry: PlanEntry, live: KubernetesObject): KubernetesObject => {
  const written = withSharedReplicas(copyJson(entry.after), entry, live);
  const spec = written['spec'];
  const liveSpec = live['spec'];
  if (!isRecord(spec) || !isRecord(liveSpec)) return written;
  if (entry.autoscaledAfter && !entry.autoscaledBefore) spec['replicas'] = liveSpec['replicas'];
  return withOwnPause(written, live);
};

/** A body to create an object again as it was, under the newer fence. */
const recreationBody = (
  preImage: KubernetesObject,
  authority: WriteAuthority,
): KubernetesObject => {
  const body = withAnnotations(copyJson(preImage), { fence: String(authority.epoch) });
  Reflect.deleteProperty(body, 'status');
  for (const field of serverFields) Reflect.deleteProperty(body.metadata, field);
  return body;
};

/** However far the weights have moved: what opening the route put in is taken out again. */
const backwardTarget = (
  { backends }: PlanEntry,
  sides: { from: KubernetesObject; to: KubernetesObject; live: KubernetesObject },
): Rebased =>
  backends === undefined
    ? rebase(sides)
    : { target: closedRoute(sides.live, sides.to, backends), conflicts: [] };

/** An autoscaler has its number back as soon as the write that changed it is undone. */
const putBack = (target: unknown, live: KubernetesObject, entry: PlanEntry): KubernetesObject => {
  const whole = backOnLive(target, live, entry);
  const { chain } = entry;
  const isWritten = chain !== undefined && linksWritten(live, chain) >= chain.link;
  return isWritten ? rescaled(whole, entry, 'before') : whole;
};

const undoPatch = (
  entry: PlanEntry,
  sides: { live: KubernetesObject; preImage: KubernetesObject },
  authority: WriteAuthority,
): RevertDecision => {
  const { live, preImage } = sides;
  const atEpoch = fenceOf(live) === authority.epoch;
  if (live.metadata.uid !== preImage.metadata.uid) {
    return atEpoch ? done('recreated') : done('foreign-change-preserved', ['/metadata/uid']);
  }
  const now = comparable(live, entry);
  const { target, conflicts } = backwardTarget(entry, {
    from: writtenByUs(entry, live),
    to: comparable(preImage, entry),
    live: now,
  });
  const changed = !equalJson(target, now);
  const kept = conflicts.length > 0 ? 'foreign-change-preserved' : undefined;
  const released = withAnnotations(putBack(target, live, entry), {
    fence: String(authority.epoch),
    service: annotationOf(preImage, 'service'),
    release: annotationOf(preImage, 'release'),
    link: annotationOf(preImage, 'link'),
    paused: undefined,
    scaled: undefined,
  });
  if (atEpoch && equalJson(released, live)) return done(kept ?? 'reverted', conflicts);
  const effective = changed || isOwnRelease(live, authority);
  return {
    act: 'patch',
    target: released,
    outcome: kept ?? (effective ? 'reverted' : 'nothing-to-undo'),
    foreignFields: conflicts,
  };
};

/** The write was not made, or was undone by an earlier attempt: only the fence is raised. */
const passOver = (
  chain: ChainLink,
  live: KubernetesObject,
  authority: WriteAuthority,
): RevertDecision => {
  if (fenceOf(live) !== authority.epoch) {
    const target = withAnnotations(live, { fence: String(authority.epoch) });
    return { act: 'patch', target, outcome: 'nothing-to-undo', foreignFields: [] };
  }
  return done(linksWritten(live, chain) === chain.link - 1 ? 'reverted' : 'nothing-to-undo');
};

/**
 * Undoes a later write to an object that the plan writes more than once: it goes back to what the
 * write before left, and stays in the hands of this release until that one is undone too. Traffic
 * never goes back to a candidate that is gone: then the object stays as it is.
 */
const undoLink = (
  entry: PlanEntry & { chain: ChainLink; before: KubernetesObject },
  { live, isOrphaned = false }: { live: KubernetesObject; isOrphaned?: boolean },
  authority: WriteAuthority,
): RevertDecision => {
  const { chain, before } = entry;
  if (live.metadata.uid !== before.metadata.uid) {
    const atEpoch = fenceOf(live) === authority.epoch;
    return atEpoch ? done('recreated') : done('foreign-change-preserved', ['/metadata/uid']);
  }
  if (linksWritten(live, chain) < chain.link) return passOver(chain, live, authority);
  const link = { plan: chain.plan, link: chain.link - 1 };
  if (isOrphaned) {
    const target = marked(live, authority, link);
    return { act: 'patch', target, outcome: 'nothing-to-undo', foreignFields: [] };
  }
  const { target, conflicts } = rebase({
    from: writtenByUs(entry, live),
    to: before,
    live: comparable(live, entry),
  });
  const back = marked(putBack(target, live, entry), authority, link);
  return {
    act: 'patch',
    target: withAnnotations(back, { paused: undefined }),
    outcome: conflicts.length > 0 ? 'foreign-change-preserved' : 'reverted',
    foreignFields: conflicts,
  };
};

const undoWrite = (
  entry: PlanEntry,
  sides: { live: KubernetesObject; preImage: KubernetesObject; isOrphaned?: boolean },
  authority: WriteAuthority,
): RevertDecision => {
  const { chain, before } = entry;
  return chain !== undefined && chain.link > 1 && before !== null
    ? undoLink({ ...entry, chain, before }, sides, authority)
    : undoPatch(entry, sides, authority);
};

/**
 * What undoing one entry means for the object as it is now. Whatever is found, the fence ends
 * at the rollback's epoch, so that a forward write that is still on its way fails.
 */
export const decideRevert = (
  entry: PlanEntry,
  sides: RevertSides,
  authority: WriteAuthority,
): RevertDecision => {
  const { live, preImage } = sides;
  if (entry.action === 'keep') return done('nothing-to-undo');
  const fenced = live === undefined ? undefined : fencedReason(live, authority);
  if (fenced !== undefined) return { act: 'refuse', code: 'FENCED', reason: fenced };
  if (entry.action === 'patch' && preImage !== undefined) {
    return live === undefined
      ? { act: 'recreate', body: recreationBody(preImage, authority) }
      : undoWrite(entry, { ...sides, live, preImage }, authority);
  }
  if (live === undefined) return done('nothing-to-undo');
  return entry.action === 'create' ? undoCreate(live, authority) : undoActivate(live, authority);
};
