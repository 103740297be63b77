import type {
  PlanStep,
  Releases,
  RevertReceipt,
  WriteReceipt,
} from '../../activities/kubernetes/port.ts';
import { recordAt } from '../../domain/delivery/canonical-json.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../domain/delivery/manifest-set.ts';
import { ignoredTable } from '../../domain/delivery/normalised-object.ts';
import { annotationOf, fenceOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import { proveObject, provenChanges } from '../../domain/delivery/object-proof.ts';
import { decideRevert, type RevertDecision } from '../../domain/delivery/object-reverts.ts';
import { decideWrite, fencedReason, fenceWitness } from '../../domain/delivery/object-writes.ts';
import { podSpecOf, referencesIn } from '../../domain/delivery/pod-template.ts';
import { isSpent } from '../../domain/delivery/spent-objects.ts';
import type { ProofRow } from '../../domain/delivery/proof.ts';
import type { PlanEntry, StoredPlan } from '../../domain/delivery/release-plan.ts';
import { commit } from './in-memory-commit.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failIfAsked, failure, sha256 } from './in-memory-failure.ts';
import { captureInMemory, readJson, readPreImage } from './in-memory-pre-image.ts';
import { planInMemory } from './in-memory-planning.ts';

const readEntry = async (
  deps: InMemoryDeps,
  request: PlanStep & { index: number },
): Promise<{ entry: PlanEntry; plan: StoredPlan }> => {
  const plan = await readJson<StoredPlan>(deps, request.planDigest);
  const entry = plan.entries[request.index];
  if (entry === undefined) throw failure('INTERNAL', `the plan has no change ${request.index}`);
  return { entry, plan };
};

const refuseLateCreation = (deps: InMemoryDeps, plan: StoredPlan, request: PlanStep): void => {
  const witness = fenceWitness(plan.entries);
  const live = witness === undefined ? undefined : deps.state.get(witness.object);
  const reason = live === undefined ? undefined : fencedReason(live, request);
  if (reason !== undefined) throw failure('FENCED', `${reason}; nothing was written.`);
};

const receipt = (outcome: WriteReceipt['outcome'], object?: KubernetesObject): WriteReceipt => ({
  outcome,
  uid: object?.metadata.uid ?? '',
  generation: object?.metadata.generation ?? 0,
});

const write: (
  deps: InMemoryDeps,
  request: Parameters<Releases['write']>[0],
) => Promise<WriteReceipt> = async (deps, request) => {
  const { entry, plan } = await readEntry(deps, request);
  const live = deps.state.get(entry.object);
  const decision = decideWrite(entry, live, request);
  if (decision.act === 'done') return receipt(decision.outcome, live);
  if (decision.act === 'refuse') {
    const name = describeRef(entry.object);
    throw failure(decision.code, `${name}: ${decision.reason}; nothing was written.`, name);
  }
  if (decision.act === 'create') refuseLateCreation(deps, plan, request);
  const object = decision.act === 'create' ? decision.body : decision.target;
  return receipt(
    'written',
    commit(deps, entry.step, () => deps.state.put(object)),
  );
};

const carryOut = (
  deps: InMemoryDeps,
  entry: PlanEntry,
  decision: Exclude<RevertDecision, { act: 'refuse' }>,
): RevertReceipt => {
  const step = `undo ${entry.step}`;
  if (decision.act === 'done') {
    const generation = deps.state.get(entry.object)?.metadata.generation ?? 0;
    return { outcome: decision.outcome, foreignFields: decision.foreignFields, generation };
  }
  if (decision.act === 'delete') {
    commit(deps, step, () => {
      deps.state.delete(entry.object);
      return undefined;
    });
    return { outcome: 'deleted', foreignFields: [], generation: 0 };
  }
  if (decision.act === 'recreate') {
    const stored = commit(deps, step, () => deps.state.put(decision.body));
    return {
      outcome: 'recreated',
      foreignFields: [],
      generation: stored?.metadata.generation ?? 0,
    };
  }
  const stored = commit(deps, step, () => deps.state.put(decision.target));
  const { outcome, foreignFields } = decision;
  return { outcome, foreignFields, generation: stored?.metadata.generation ?? 0 };
};

const revert: (
  deps: InMemoryDeps,
  request: Parameters<Releases['revert']>[0],
) => Promise<RevertReceipt> = async (deps, request) => {
  const { entry } = await readEntry(deps, request);
  const before = await readPreImage(deps, request.preImageDigest);
  const name = describeRef(entry.object);
  const preImage = before.objects.find(({ object }) => describeRef(refOf(object)) === name)?.object;
  const needs = entry.chain?.needs;
  const isOrphaned = needs !== undefined && deps.state.get(needs) === undefined;
  const live = deps.state.get(entry.object);
  const decision = decideRevert(entry, { live, preImage, isOrphaned }, request);
  if (decision.act === 'refuse') {
    throw failure(decision.code, `${name}: ${decision.reason}; nothing was written.`, name);
  }
  return carryOut(deps, entry, decision);
};

const leftovers = (deps: InMemoryDeps, request: PlanStep, known: PlanEntry[]): ProofRow[] =>
  deps.state
    .all()
    .filter((object) => annotationOf(object, 'createdBy') === request.release)
    .filter((object) => annotationOf(object, 'service') === serviceKeyOf(request))
    .filter(
      (object) => !known.some((entry) => describeRef(entry.object) === describeRef(refOf(object))),
    )
    .map((object) => ({
      object: refOf(object),
      hashBefore: 'absent',
      hashAfter: sha256(JSON.stringify(object)),
      verdict: 'leftover',
      fields: [],
    }));

const prove: (
  deps: InMemoryDeps,
  request: Parameters<Releases['prove']>[0],
) => ReturnType<Releases['prove']> = async (deps, request) => {
  const plan = await readJson<StoredPlan>(deps, request.planDigest);
  const before = await readPreImage(deps, request.preImageDigest);
  const rows = provenChanges(plan.entries, request.direction).map((change) => {
    const { entry } = change;
    const name = describeRef(entry.object);
    const captured = before.objects.find(({ object }) => describeRef(refOf(object)) === name);
    const live = deps.state.get(entry.object);
    const now = live === undefined ? undefined : deps.state.activeReplicaSet(live)?.uid;
    const replicaSet = { before: captured?.replicaSetUid, now };
    return proveObject(
      request.direction,
      { ...change, preImage: captured?.object, live, replicaSet },
      sha256,
    );
  });
  const extra = request.direction === 'back' ? leftovers(deps, request, plan.entries) : [];
  return { direction: request.direction, rows: [...rows, ...extra], ignored: ignoredTable };
};

const isConfig = (object: KubernetesObject): boolean =>
  object.kind === 'ConfigMap' || object.kind === 'Secret';

/** Old ReplicaSets count too: their version may be wanted back. */
const referencedConfig = (deps: InMemoryDeps): Set<string> => {
  const templates = [...deps.state.replicaSets.values()]
    .flat()
    .map(({ template }) => recordAt(JSON.parse(template), 'spec'));
  const deployments = deps.state.all().map(podSpecOf);
  return new Set([...templates, ...deployments].flatMap(referencesIn));
};

const prune: (
  deps: InMemoryDeps,
  request: Parameters<Releases['prune']>[0],
) => ReturnType<Releases['prune']> = async (deps, request) => {
  const own = deps.state
    .all()
    .filter((object) => annotationOf(object, 'service') === serviceKeyOf(request));
  const deleted: ObjectRef[] = [];
  const ordered = [...own.filter((object) => !isConfig(object)), ...own.filter(isConfig)];
  for (const object of ordered) {
    const name = describeRef(refOf(object));
    const isReferenced = (): boolean => referencedConfig(deps).has(name);
    if (!isSpent(object, { ...request, isReferenced })) continue;
    commit(deps, `prune ${name}`, () => {
      deps.state.delete(refOf(object));
      return undefined;
    });
    deleted.push(refOf(object));
  }
  return { deleted };
};

/** The verbs of `Releases` on objects in memory, with the decisions of the real adapter. */
export const createInMemoryReleases = (deps: InMemoryDeps): Releases => {
  const asked = (verb: keyof Releases): void => failIfAsked(deps, verb);
  return {
    plan: async (request) => (asked('plan'), planInMemory(deps, request)),
    capture: async (request) => (asked('capture'), captureInMemory(deps, request)),
    write: async (request) => (asked('write'), write(deps, request)),
    revert: async (request) => (asked('revert'), revert(deps, request)),
    prove: async (request) => (asked('prove'), prove(deps, request)),
    prune: async (request) => (asked('prune'), prune(deps, request)),
    highestFence: async (request) => {
      asked('highestFence');
      const own = deps.state.all().filter((object) => {
        const holder = annotationOf(object, 'service');
        return holder === undefined || holder === serviceKeyOf(request);
      });
      return { fence: Math.max(0, ...own.map(fenceOf)) };
    },
  };
};
