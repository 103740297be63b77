import { changedWorkloads, draftCandidate } from '../../domain/delivery/candidate-draft.ts';
import type { CandidateDraft } from '../../domain/delivery/candidate-draft.ts';
import type { CandidateFacts, CandidateStrategy } from '../../domain/delivery/candidate-facts.ts';
import {
  arrangeCandidate,
  newObjectsOf,
  type Predictions,
} from '../../domain/delivery/candidate-plan.ts';
import type { CandidateProblem } from '../../domain/delivery/candidate-refusals.ts';
import { recreated, strategyProblems } from '../../domain/delivery/recreated-workloads.ts';
import type { BorrowedObject } from '../../domain/delivery/borrowed-objects.ts';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { guardedPatch } from '../../domain/delivery/guarded-patch.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { describeObject, managedKinds, refOf } from '../../domain/delivery/manifest-set.ts';
import { normalised, withLiveBookkeeping } from '../../domain/delivery/normalised-object.ts';
import { fencedReason, marked, markedAsCreated } from '../../domain/delivery/object-writes.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { equalJson } from '../../domain/delivery/canonical-json.ts';
import { codedFailure } from '../coded-failure.ts';
import { isHidden } from './api-error.ts';
import { rehearseBackward } from './backward-rehearsal.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { hexDigest } from './manifest-loading.ts';
import {
  collections,
  createObject,
  listObjects,
  patchObject,
  readObject,
  type Collection,
} from './object-access.ts';
import { refuseOthers, type PlanningContext } from './object-planning.ts';
import { checkPermissions, type RoutePermission } from './permission-check.ts';
import { untilDecided } from './release-writes.ts';
import type { PlanRequest } from './port.ts';

/** The entries of a plan, with the candidate where the strategy brings one. */
export interface PlannedEntries {
  entries: PlanEntry[];
  candidate?: Candidate;
  warnings: string[];
}

const suffixChars = 6;

/** The same release of the same manifests always gets the same candidate. */
export const suffixOf = ({ release, manifestsDigest }: PlanRequest): string =>
  hexDigest(`${release}\n${manifestsDigest}`).slice(0, suffixChars);

const refusal = (problems: readonly CandidateProblem[], what: string): Error => {
  const [first] = problems;
  const list = problems.map(({ subject, message }) => `${subject} ${message}`).join('; ');
  return codedFailure({
    code: first?.code ?? 'MANIFEST_INVALID',
    message: `The new version cannot ${what}: ${list}. Nothing was touched.`,
    subject: first?.subject ?? 'strategy',
  });
};

/** Names a plan among all plans of all services. */
const planNameOf = (request: PlanRequest): string =>
  `${suffixOf(request)}.${String(request.epoch)}`;

const refuseSeveral = (changed: readonly PlanEntry[]): void => {
  if (changed.length < 2) return;
  const names = changed.map(({ object }) => describeRef(object)).join(', ');
  throw codedFailure({
    code: 'MANIFEST_INVALID',
    message: `The pods of ${names} change: only one workload can have a candidate. Nothing was touched.`,
    next: 'Release them one by one, or with the strategy rolling.',
    subject: names,
  });
};

const listOf = async (cluster: Cluster, collection: Collection): Promise<KubernetesObject[]> =>
  (await listObjects(cluster, collection)).items;

/** A cluster need not let us read its policies; then the plan says that it does not know. */
const readPolicies = async (cluster: Cluster): Promise<KubernetesObject[] | undefined> => {
  try {
    return await listOf(cluster, collections.networkPolicies);
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
};

/** A GRPCRoute has the same rules and weights, so that either will do. */
const readRoute = async (
  cluster: Cluster,
  name: string | undefined,
): Promise<KubernetesObject | undefined> => {
  if (name === undefined) return undefined;
  const read = async (collection: Collection): Promise<KubernetesObject | undefined> =>
    translated({ subject: `${collection.kind}/${name}` }, async () =>
      readObject(cluster, { ...collection, name }),
    );
  return (await read(collections.httpRoutes)) ?? (await read(collections.grpcRoutes));
};

/** Only for a note to the reader: where routes may not be listed, there is none. */
const readRoutes = async (
  cluster: Cluster,
  name: string | undefined,
): Promise<KubernetesObject[]> => {
  if (name === undefined) return [];
  const lists = await Promise.all(
    [collections.httpRoutes, collections.grpcRoutes].map(async (collection) => {
      try {
        return await listOf(cluster, collection);
      } catch (error) {
        if (isHidden(error)) return [];
        throw error;
      }
    }),
  );
  return lists.flat();
};

const factsOf = async (
  { cluster, request, autoscalers }: PlanningContext,
  strategy: CandidateStrategy,
  plan: { entries: readonly PlanEntry[]; changed: PlanEntry },
): Promise<CandidateFacts | undefined> => {
  const managed = (kind: 'Service' | 'PodDisruptionBudget' | 'Deployment') =>
    listOf(cluster, { kind, apiVersion: managedKinds[kind].apiVersion });
  const [services, budgets, workloads, policies, route, routes] = await Promise.all([
    managed('Service'),
    managed('PodDisruptionBudget'),
    managed('Deployment'),
    readPolicies(cluster),
    readRoute(cluster, strategy.route),
    readRoutes(cluster, strategy.route),
  ]);
  const name = describeRef(plan.changed.object);
  const stable = workloads.find((workload) => describeObject(workload) === name);
  if (stable === undefined) return undefined;
  const live = { stable, services, budgets, workloads, autoscalers, policies, route, routes };
  const { previewHeader } = request;
  return { strategy, suffix: suffixOf(request), previewHeader, ...plan, live };
};

/** The names of the candidate must be free; whatever has one of them is not ours to change. */
const refuseTaken = async (cluster: Cluster, refs: readonly ObjectRef[]): Promise<void> => {
  const found = await Promise.all(refs.map(async (ref) => readObject(cluster, ref)));
  const [taken] = found.filter((object) => object !== undefined);
  if (taken === undefined) return;
  const name = describeObject(taken);
  throw codedFailure({
    code: 'OBJECT_HELD',
    message: `${name} is there already, but the new version is to run under that name for a time; nothing was touched.`,
    next: `Delete ${name} if an earlier run left it behind, or give the release another name.`,
    subject: name,
  });
};

const refuseFenced = (live: KubernetesObject, request: PlanRequest): void => {
  const reason = fencedReason(live, request);
  if (reason === undefined) return;
  const name = describeObject(live);
  const message = `${name} was written by another service since: ${reason}; nothing was touched.`;
  throw codedFailure({ code: 'FENCED', message, subject: name });
};

/**
 * The first write to a borrowed object, as the API server would store it, and that it could be
 * taken back. The last write cannot be asked about: it starts from what the first one leaves.
 */
const predictBorrowed = async (
  { cluster, request }: PlanningContext,
  { live, wanted }: BorrowedObject,
): Promise<KubernetesObject> =>
  translated({ subject: describeObject(live) }, async () => {
    refuseOthers(live, request);
    refuseFenced(live, request);
    return untilDecided(describeObject(live), async () => {
      const now = await unchanged(cluster, live);
      const whole = marked(withLiveBookkeeping(wanted, now), request);
      const change = { ref: refOf(now), operations: guardedPatch(now, whole) };
      const predicted = await patchObject(cluster, change, { dryRun: true });
      await rehearseBackward({ cluster, live: now, predicted, scope: {} });
      return normalised(predicted);
    });
  });

/** Controllers report on an object all the time; only what it says must be as it was read. */
const unchanged = async (cluster: Cluster, live: KubernetesObject): Promise<KubernetesObject> => {
  const now = await readObject(cluster, refOf(live));
  if (now !== undefined && equalJson(normalised(now), normalised(live))) return now;
  const name = describeObject(live);
  throw codedFailure({
    code: 'PLAN_STALE',
    message: `${name} was changed or deleted while the plan was made; nothing was touched.`,
    subject: name,
  });
};

const predictNew = async (
  { cluster, request }: PlanningContext,
  object: KubernetesObject,
): Promise<KubernetesObject> =>
  translated({ subject: describeObject(object) }, async () => {
    const body = markedAsCreated(object, request, { temporary: true });
    const predicted = await createObject(cluster, body, { dryRun: true });
    return normalised(predicted, { allocated: true });
  });

const predict = async (context: PlanningContext, draft: CandidateDraft): Promise<Predictions> => {
  const created = newObjectsOf(draft).map(
    async (object) => [describeObject(object), await predictNew(context, object)] as const,
  );
  const borrowed = draft.borrowed.map(
    async (object) =>
      [describeObject(object.live), await predictBorrowed(context, object)] as const,
  );
  return new Map(await Promise.all([...created, ...borrowed]));
};

const routePermissions = ({ borrowed, routes }: CandidateDraft): RoutePermission | undefined => {
  const opened = borrowed.find(({ verb }) => verb === 'open');
  if (opened === undefined) return undefined;
  const verbs = ['get', 'patch', ...(routes.length === 0 ? [] : ['create', 'delete'])];
  return { kind: opened.live.kind, verbs };
};

/** Brings the candidate into a plan whose entries are about the user's own objects only. */
const beside = async (
  context: PlanningContext,
  entries: readonly PlanEntry[],
  draft: CandidateDraft,
): Promise<PlannedEntries> => {
  const { cluster, request } = context;
  const news = newObjectsOf(draft);
  const kinds = [...news, ...draft.borrowed.map(({ live }) => live)].map(({ kind }) => kind);
  await checkPermissions(cluster, new Set(kinds), routePermissions(draft));
  await refuseTaken(cluster, news.map(refOf));
  const predicted = await predict(context, draft);
  return {
    entries: arrangeCandidate({
      entries,
      draft,
      predicted,
      plan: planNameOf(request),
      epoch: request.epoch,
    }),
    candidate: draft.candidate,
    warnings: draft.warnings,
  };
};

/** Fits the plan of the user's own objects to the strategy. */
export const planStrategy = async (
  context: PlanningContext,
  entries: PlanEntry[],
): Promise<PlannedEntries> => {
  const { strategy } = context.request;
  if (strategy === undefined || strategy.type === 'rolling') return { entries, warnings: [] };
  const problems = strategyProblems(strategy.type, entries);
  if (problems.length > 0) throw refusal(problems, 'take the place of the old one');
  return strategy.type === 'recreate'
    ? recreated(entries, planNameOf(context.request))
    : planBeside(context, entries, strategy);
};

/**
 * Plans the new version beside the old one where the pods of one workload change; everything
 * else is left as it was planned, to be updated in place.
 */
const planBeside = async (
  context: PlanningContext,
  entries: PlanEntry[],
  strategy: CandidateStrategy,
): Promise<PlannedEntries> => {
  const inPlace = { entries, warnings: [] };
  const all = changedWorkloads(entries);
  refuseSeveral(all);
  const [changed] = all;
  if (changed === undefined) return inPlace;
  const facts = await factsOf(context, strategy, { entries, changed });
  if (facts === undefined) return inPlace;
  const drafted = draftCandidate(facts);
  if (drafted.act === 'in-place') return { ...inPlace, warnings: drafted.warnings };
  if (drafted.act === 'refuse') {
    throw refusal(drafted.problems, 'be brought up beside the old one');
  }
  return beside(context, entries, drafted.draft);
};
