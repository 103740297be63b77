import type { BorrowedObject } from './borrowed-objects.ts';
import type { CandidateDraft } from './candidate-draft.ts';
import type { RolloutPhase } from './candidate.ts';
import { describeRef, type KubernetesObject } from './kubernetes-object.ts';
import { describeObject, refOf } from './manifest-set.ts';
import { normalised } from './normalised-object.ts';
import { stepNameOf, type ChainLink, type PlanEntry } from './release-plan.ts';
import { withReplicas } from './replica-ownership.ts';

/** What the API server says that objects will be, by `Kind/name`. */
export type Predictions = ReadonlyMap<string, KubernetesObject>;

export interface CandidateArrangement {
  /** What the release does to the user's own objects, in writing order. */
  entries: readonly PlanEntry[];
  draft: CandidateDraft;
  predicted: Predictions;
  /** Names the plan among all plans. */
  plan: string;
  /** Under which it is carried out. */
  epoch: number;
}

const bare = { before: null, body: null, replicas: 0, autoscaledBefore: false };

const predictionOf = (predicted: Predictions, object: KubernetesObject): KubernetesObject =>
  predicted.get(describeObject(object)) ?? object;

const creation = (
  { predicted, draft }: CandidateArrangement,
  body: KubernetesObject,
): PlanEntry => ({
  ...bare,
  step: stepNameOf('create', refOf(body)),
  object: refOf(body),
  action: 'create',
  after: predictionOf(predicted, body),
  body,
  autoscaledAfter: body.kind === 'Deployment' && draft.autoscaler !== undefined,
  phase: 'stage',
  temporary: true,
});

/** Born with no pods and then activated, as every new workload. */
const workloadEntries = (arrangement: CandidateArrangement): PlanEntry[] => {
  const { workload, startReplicas } = arrangement.draft;
  const create = creation(arrangement, withReplicas(workload, 0));
  return [
    create,
    {
      ...create,
      step: stepNameOf('activate', create.object),
      action: 'activate',
      after: withReplicas(create.after, startReplicas),
      body: null,
      replicas: startReplicas,
    },
  ];
};

const linkEntry = (
  borrowed: BorrowedObject,
  sides: { step: string; before: KubernetesObject; after: KubernetesObject },
  place: { phase: RolloutPhase; chain: ChainLink },
): PlanEntry => ({
  ...bare,
  object: refOf(borrowed.live),
  action: 'patch',
  autoscaledAfter: false,
  ...sides,
  ...place,
  ...(borrowed.backends === undefined ? {} : { backends: borrowed.backends }),
});

/** The first write to a borrowed object, and the one that ends it when the traffic returns. */
const linksOf = (
  { predicted, plan, draft }: CandidateArrangement,
  borrowed: BorrowedObject,
): { first: PlanEntry; last: PlanEntry } => {
  const { verb, live, wanted, end, lastStep, traffic, isForeign } = borrowed;
  const between = predictionOf(predicted, wanted);
  const first = linkEntry(
    borrowed,
    { step: `${verb} ${describeObject(live)}`, before: normalised(live), after: between },
    { phase: verb === 'switch' ? 'switch' : 'stage', chain: { plan, link: 1 } },
  );
  const last = linkEntry(
    borrowed,
    { step: lastStep, before: between, after: end },
    {
      phase: 'return',
      chain: {
        plan,
        link: 2,
        ...(isForeign ? { givesBack: true } : {}),
        ...(verb === 'freeze' ? {} : { needs: draft.candidate.workload }),
      },
    },
  );
  if (traffic === undefined) return { first, last };
  return { first: { ...first, traffic: traffic.there }, last: { ...last, traffic: traffic.back } };
};

/** Where pods make the share, those of the user's workload are scaled before it is updated. */
const sharing = ({ draft, epoch }: CandidateArrangement, entry: PlanEntry): PlanEntry => {
  const { byPods, stable, replicas } = draft.candidate;
  const isShared = byPods !== undefined && describeRef(entry.object) === describeRef(stable);
  return isShared ? { ...entry, shared: { epoch, replicas } } : entry;
};

/** What pods of the new version read must be there before the candidate is. */
const isNewConfig = ({ action, object }: PlanEntry): boolean =>
  action === 'create' && (object.kind === 'ConfigMap' || object.kind === 'Secret');

const inPhase = (entries: readonly PlanEntry[], phase: RolloutPhase): PlanEntry[] =>
  entries.map((entry) => ({ ...entry, phase }));

/**
 * The plan of a release with a candidate, in the order of writing. Read backwards it is the way
 * back: a route never names a Service that is not there, and an autoscaler never outlives the
 * workload that it scales.
 */
export const arrangeCandidate = (arrangement: CandidateArrangement): PlanEntry[] => {
  const { entries, draft } = arrangement;
  const links = draft.borrowed.map((borrowed) => ({
    verb: borrowed.verb,
    name: describeObject(borrowed.live),
    ...linksOf(arrangement, borrowed),
  }));
  const firsts = (verb: BorrowedObject['verb']): PlanEntry[] =>
    links.filter((link) => link.verb === verb).map(({ first }) => first);
  const lasts = (isFreeze: boolean): PlanEntry[] =>
    links.filter(({ verb }) => (verb === 'freeze') === isFreeze).map(({ last }) => last);
  const isBorrowed = ({ object }: PlanEntry): boolean =>
    links.some(({ name }) => name === describeRef(object));
  const own = entries.filter((entry) => !isNewConfig(entry) && !isBorrowed(entry));
  const create = (body: KubernetesObject): PlanEntry => creation(arrangement, body);
  return [
    ...inPhase(entries.filter(isNewConfig), 'stage'),
    ...firsts('freeze'),
    ...draft.services.map(create),
    ...firsts('open'),
    ...draft.budgets.map(create),
    ...workloadEntries(arrangement),
    ...(draft.autoscaler === undefined ? [] : [create(draft.autoscaler)]),
    ...draft.routes.map(create),
    ...firsts('switch'),
    ...inPhase(own, 'update').map((entry) => sharing(arrangement, entry)),
    ...lasts(false),
    // Only who has its traffic back is scaled by it; one without any would lose its pods first.
    ...lasts(true),
  ];
};

/** Everything that the candidate brings, as it is asked for in a dry run. */
export const newObjectsOf = (draft: CandidateDraft): KubernetesObject[] => [
  ...draft.services,
  ...draft.budgets,
  withReplicas(draft.workload, 0),
  ...draft.routes,
  ...(draft.autoscaler === undefined ? [] : [draft.autoscaler]),
];
