import { equalJson } from './canonical-json.ts';
import { pointerOf } from './json-pointer.ts';
import { describeRef, type KubernetesObject } from './kubernetes-object.ts';
import { fingerprintText, normalised, type ComparisonScope } from './normalised-object.ts';
import { diffValues } from './object-diff.ts';
import type { PlanEntry } from './release-plan.ts';
import type { Proof, ProofRow, ProofVerdict } from './proof.ts';
import { openRulesIn } from './route-backends.ts';
import { withSharedReplicas } from './shared-replicas.ts';
import { rebase } from './three-way.ts';

/** What a plan does to one object as a whole, however often it writes it. */
export interface ObjectChange {
  /** From what the object was before its first write to what it is after its last one. */
  entry: PlanEntry;
  /** What it was between two writes. Whatever is still like that was not done by someone else. */
  between: readonly KubernetesObject[];
}

export interface ProofSides extends ObjectChange {
  /** The object before the release; undefined when it did not exist. */
  preImage: KubernetesObject | undefined;
  live: KubernetesObject | undefined;
  /** uid of the ReplicaSet or ControllerRevision that ran before, and of the one that runs now. */
  replicaSet?: { before: string | undefined; now: string | undefined };
}

interface Finding {
  verdict: ProofVerdict;
  fields: string[];
}

const differingFields = (left: unknown, right: unknown): string[] =>
  diffValues(left, right).map(({ path }) => pointerOf(path));

interface Comparison {
  /** States that the release went through; none of them may be left. */
  left: readonly unknown[];
  to: unknown;
  live: unknown;
}

/** Are all remaining differences in fields that the release neither wrote nor has to put back? */
const onlyForeign = ({ left, to, live }: Comparison): boolean =>
  left.every((from) => equalJson(rebase({ from, to, live }).target, live));

/** A backend of the candidate is ours to take out of a route, whatever was done to it. */
const isLeftOpen = ({ backends }: PlanEntry, live: KubernetesObject): boolean =>
  backends !== undefined && openRulesIn(live, backends).length > 0;

const compare = (
  comparison: Comparison,
  sides: ProofSides & { live: KubernetesObject },
): Finding => {
  const fields = differingFields(comparison.to, comparison.live);
  if (fields.length === 0) return { verdict: 'exact', fields };
  const isForeign = onlyForeign(comparison) && !isLeftOpen(sides.entry, sides.live);
  return { verdict: isForeign ? 'foreign-change-preserved' : 'differs', fields };
};

const betweenIn = ({ between }: ProofSides, scope: ComparisonScope): KubernetesObject[] =>
  between.map((state) => normalised(state, scope));

const scopeOf = ({ entry, preImage, live }: ProofSides): ComparisonScope => {
  const existed = preImage !== undefined;
  return {
    autoscaledReplicas: entry.autoscaledBefore || (!existed && entry.autoscaledAfter),
    recreated: existed && live !== undefined && live.metadata.uid !== preImage.metadata.uid,
    allocated: !existed,
  };
};

const proveForward = (sides: ProofSides, scope: ComparisonScope): Finding => {
  const { entry, live } = sides;
  if (live === undefined) return { verdict: 'missing', fields: [] };
  const from = entry.before === null ? {} : normalised(entry.before, scope);
  return compare(
    {
      left: [from, ...betweenIn(sides, scope)],
      to: normalised(entry.after, scope),
      live: normalised(live, scope),
    },
    { ...sides, live },
  );
};

const ranOnAnotherReplicaSet = ({ replicaSet }: ProofSides): boolean =>
  replicaSet?.before !== undefined && replicaSet.before !== replicaSet.now;

const proveBack = (sides: ProofSides, scope: ComparisonScope): Finding => {
  const { entry, preImage, live } = sides;
  if (preImage === undefined) {
    return live === undefined
      ? { verdict: 'exact', fields: [] }
      : { verdict: 'leftover', fields: [] };
  }
  if (live === undefined) return { verdict: 'missing', fields: [] };
  const finding = compare(
    {
      left: [
        normalised(withSharedReplicas(entry.after, entry, live), scope),
        ...betweenIn(sides, scope),
      ],
      to: normalised(preImage, scope),
      live: normalised(live, scope),
    },
    { ...sides, live },
  );
  if (finding.verdict !== 'exact') return finding;
  if (scope.recreated === true) return { verdict: 'recreated', fields: ['/metadata/uid'] };
  return ranOnAnotherReplicaSet(sides) ? { verdict: 'replica-set-replaced', fields: [] } : finding;
};

const hashOf = (
  object: KubernetesObject | undefined,
  scope: ComparisonScope,
  digest: (text: string) => string,
): string => (object === undefined ? 'absent' : digest(fingerprintText(object, scope)));

/** The verdict on one object, with the hashes of what was and what is. */
export const proveObject = (
  direction: Proof['direction'],
  sides: ProofSides,
  digest: (text: string) => string,
): ProofRow => {
  const scope = scopeOf(sides);
  const finding = direction === 'forward' ? proveForward(sides, scope) : proveBack(sides, scope);
  return {
    object: sides.entry.object,
    hashBefore: hashOf(sides.preImage, scope, digest),
    hashAfter: hashOf(sides.live, scope, digest),
    ...finding,
  };
};

/** The changes of a plan by object: the first write tells what it was, the last what it ends as. */
export const changesByObject = (entries: readonly PlanEntry[]): ObjectChange[] => {
  const byObject = new Map<string, PlanEntry[]>();
  for (const entry of entries) {
    const name = describeRef(entry.object);
    byObject.set(name, [...(byObject.get(name) ?? []), entry]);
  }
  return [...byObject.values()].flatMap((writes) => {
    const [first, last] = [writes[0], writes.at(-1)];
    if (first === undefined || last === undefined) return [];
    const between = writes.slice(0, -1).flatMap(({ chain, after }) => (chain ? [after] : []));
    return [{ entry: { ...last, before: first.before }, between }];
  });
};

/**
 * What a proof is about. What existed for the time of the rollout only is not part of what the
 * plan promises, but on the way back it must be gone.
 */
export const provenChanges = (
  entries: readonly PlanEntry[],
  direction: Proof['direction'],
): ObjectChange[] =>
  changesByObject(entries).filter(
    ({ entry }) => direction === 'back' || entry.temporary === undefined,
  );
