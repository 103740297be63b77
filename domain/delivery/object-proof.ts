import { equalJson } from './canonical-json.ts';
import { pointerOf } from './json-pointer.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { fingerprintText, normalised, type ComparisonScope } from './normalised-object.ts';
import { diffValues } from './object-diff.ts';
import type { PlanEntry } from './release-plan.ts';
import type { Proof, ProofRow, ProofVerdict } from './proof.ts';
import { rebase } from './three-way.ts';

export interface ProofSides {
  entry: PlanEntry;
  /** The object before the release; undefined when it did not exist. */
  preImage: KubernetesObject | undefined;
  live: KubernetesObject | undefined;
  /** uid of the ReplicaSet that ran before, and of the one that runs now; Deployments only. */
  replicaSet?: { before: string | undefined; now: string | undefined };
}

interface Finding {
  verdict: ProofVerdict;
  fields: string[];
}

const differingFields = (left: unknown, right: unknown): string[] =>
  diffValues(left, right).map(({ path }) => pointerOf(path));

/** Are all remaining differences in fields that the release neither wrote nor has to put back? */
const onlyForeign = (change: { from: unknown; to: unknown; live: unknown }): boolean =>
  equalJson(rebase(change).target, change.live);

const compare = (change: { from: unknown; to: unknown; live: unknown }): Finding => {
  const fields = differingFields(change.to, change.live);
  if (fields.length === 0) return { verdict: 'exact', fields };
  return { verdict: onlyForeign(change) ? 'foreign-change-preserved' : 'differs', fields };
};

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
  return compare({ from, to: normalised(entry.after, scope), live: normalised(live, scope) });
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
  const finding = compare({
    from: normalised(entry.after, scope),
    to: normalised(preImage, scope),
    live: normalised(live, scope),
  });
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

/** One entry for each object: the last one says what the object ends as. */
export const entriesByObject = (entries: readonly PlanEntry[]): PlanEntry[] => [
  ...new Map(entries.map((entry) => [`${entry.object.kind}/${entry.object.name}`, entry])).values(),
];
