import { equalJson, numberAt, recordAt } from './canonical-json.ts';
import { frozen, openRoute, switchedService, type BorrowedObject } from './borrowed-objects.ts';
import { asPlanned, outside, routingEntries, type CandidateFacts } from './candidate-facts.ts';
import {
  addedLabel,
  byPodsNotes,
  byPodsProblems,
  firstShare,
  isByPods,
  surges,
} from './candidate-by-pods.ts';
import {
  autoscalerCopy,
  budgetCopy,
  candidateWorkload,
  identityLabel,
  previewService,
  suffixed,
  type CandidateNaming,
} from './candidate-objects.ts';
import {
  invalid,
  podLabelsOf,
  policyProblems,
  sharedServices,
  unknownServices,
  type CandidateProblem,
  type PodLabels,
} from './candidate-refusals.ts';
import type { Candidate } from './candidate.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';
import { matchesSelector } from './label-selector.ts';
import { describeObject, isWorkload, refOf } from './manifest-set.ts';
import { probedPort, type PlanEntry } from './release-plan.ts';
import { otherRouteNotes } from './other-routes.ts';
import { previewRoute, type PreviewRoute } from './preview-route.ts';
import { autoscalerOf } from './replica-ownership.ts';
import type { BackendPair } from './route-backends.ts';
import { openedRoute } from './route-opening.ts';

export interface CandidateDraft {
  candidate: Candidate;
  /** New objects for the time of the rollout. */
  services: KubernetesObject[];
  budgets: KubernetesObject[];
  /** The route that pins requests with a header to the candidate, where one is asked for. */
  routes: KubernetesObject[];
  workload: KubernetesObject;
  autoscaler: KubernetesObject | undefined;
  /** Pods that the candidate starts with. */
  startReplicas: number;
  borrowed: BorrowedObject[];
  warnings: string[];
}

export type Drafted =
  | { act: 'in-place'; warnings: string[] }
  | { act: 'refuse'; problems: CandidateProblem[] }
  | { act: 'beside'; draft: CandidateDraft };

/** Workloads that are there and get another pod template. */
export const changedWorkloads = (entries: readonly PlanEntry[]): PlanEntry[] =>
  entries.filter(
    ({ object, action, before, after }) =>
      isWorkload(object) &&
      action === 'patch' &&
      !equalJson(recordAt(before, 'spec')['template'], recordAt(after, 'spec')['template']),
  );

const startReplicasOf = (facts: CandidateFacts, replicas: number): number => {
  const { strategy } = facts;
  if (strategy.type === 'blue-green') return replicas;
  if (isByPods(strategy)) return firstShare(facts);
  return Math.max(1, Math.ceil(((strategy.steps[0]?.weightPercent ?? 0) * replicas) / 100));
};

const candidateAutoscaler = (
  facts: CandidateFacts,
  naming: CandidateNaming,
  replicas: { all: number; start: number },
): KubernetesObject | undefined => {
  const { stable, autoscalers } = facts.live;
  if (autoscalerOf(stable, autoscalers) === undefined) return undefined;
  const planned = asPlanned(facts, 'HorizontalPodAutoscaler', autoscalers);
  const autoscaler = autoscalerOf(stable, planned);
  if (autoscaler === undefined) return undefined;
  // A canary grows with its weight: the least number follows from what it starts with.
  const least = Math.max(numberAt(autoscaler, 'spec', 'minReplicas') ?? 1, replicas.all);
  const leastReplicas = facts.strategy.type === 'canary' ? replicas.start : least;
  const workload = suffixed(stable.metadata.name, naming.suffix);
  return autoscalerCopy(autoscaler, naming, { workload, leastReplicas });
};

/** Budgets that know the pods by the identity label; the others count those of the candidate too. */
const candidateBudgets = (
  facts: CandidateFacts,
  naming: CandidateNaming,
  labels: PodLabels,
): KubernetesObject[] => {
  const takes = (budget: KubernetesObject, side: keyof PodLabels): boolean =>
    matchesSelector(recordAt(budget, 'spec')['selector'], labels[side]);
  return asPlanned(facts, 'PodDisruptionBudget', facts.live.budgets)
    .filter((budget) => takes(budget, 'stable') && !takes(budget, 'candidate'))
    .map((budget) => budgetCopy(budget, naming))
    .filter((copy) => takes(copy, 'candidate'));
};

const problemsOf = (facts: CandidateFacts, sides: Sides): CandidateProblem[] => {
  const { live, strategy } = facts;
  if (isByPods(strategy)) return byPodsProblems(facts);
  const { naming, labels, backends } = sides;
  const stable = describeObject(live.stable);
  const isSwitched = strategy.route === undefined;
  const routing = routingEntries(facts).map(({ after }) => after);
  const others = live.workloads.filter((workload) => describeObject(workload) !== stable);
  const opening = live.route === undefined ? [] : openedRoute(live.route, backends).problems;
  const pinning = previewOf(facts, sides)?.problems ?? [];
  return [
    ...unknownServices(outside(facts, live.services), labels, { stable, isSwitched }),
    ...(isSwitched ? sharedServices(routing, others) : []),
    ...policyProblems(live.policies ?? [], labels, naming.identity),
    ...opening.map((message) => ({
      code: 'INVALID_INPUT' as const,
      subject: `HTTPRoute/${strategy.route ?? ''}`,
      message,
    })),
    ...pinning.map((message) => ({
      code: 'INVALID_INPUT' as const,
      subject: 'previewHeader.name',
      message: `cannot pin requests: ${message}`,
    })),
  ];
};

const previewOf = (
  facts: CandidateFacts,
  { naming, backends }: Sides,
): PreviewRoute | undefined => {
  const { previewHeader: header, live } = facts;
  if (header === undefined || live.route === undefined) return undefined;
  return previewRoute(live.route, backends, { header, suffix: naming.suffix });
};

const pinnedBy = (
  { previewHeader: header }: CandidateFacts,
  preview: PreviewRoute | undefined,
): Pick<Candidate, 'pinned'> =>
  header === undefined || preview === undefined
    ? {}
    : { pinned: { route: refOf(preview.route), header } };

const warningsOf = (facts: CandidateFacts, { naming, backends }: Sides): string[] => {
  const { key, stable, candidate } = naming.identity;
  const { live, strategy, previewHeader } = facts;
  const unpinned =
    previewHeader === undefined || strategy.route !== undefined
      ? []
      : [`No request is pinned by ${previewHeader.name}: no route is named by the strategy.`];
  if (isByPods(strategy)) return [...byPodsNotes(facts), ...unpinned];
  const policies = `Whether a NetworkPolicy keeps the new version from its traffic is not known: they may not be read.`;
  return [
    `While both versions run, pods of the new one carry ${key}=${candidate}: what counts pods by ${key}=${String(stable)}, such as an alert, does not see them.`,
    ...(live.policies === undefined ? [policies] : []),
    ...unpinned,
    ...(live.route === undefined ? [] : otherRouteNotes(live.routes, backends, live.route)),
  ];
};

const sidesOf = (facts: CandidateFacts, naming: CandidateNaming): Sides => {
  const stable = podLabelsOf(facts.changed.after);
  const candidate = { ...stable, [naming.identity.key]: naming.identity.candidate };
  const backends = routingEntries(facts).map(({ object }) => ({
    stable: object.name,
    candidate: suffixed(object.name, naming.suffix),
  }));
  return { naming, labels: { stable, candidate }, backends };
};

interface Sides {
  naming: CandidateNaming;
  labels: PodLabels;
  backends: BackendPair[];
}

/** What is borrowed for the traffic: a route, the Services, or nothing where pods make the share. */
const movedBy = (
  facts: CandidateFacts,
  { naming, backends, refs }: Sides & { refs: { stable: ObjectRef; candidate: ObjectRef } },
): BorrowedObject[] => {
  const { live, strategy } = facts;
  if (isByPods(strategy)) return [];
  return live.route === undefined
    ? routingEntries(facts).flatMap((entry) => switchedService(facts, entry, { naming, refs }))
    : [openRoute(live.route, backends)];
};

const besides = (facts: CandidateFacts, naming: CandidateNaming): Drafted => {
  const sides = sidesOf(facts, naming);
  const { live, changed, strategy } = facts;
  const problems = problemsOf(facts, sides);
  if (problems.length > 0) return { act: 'refuse', problems };
  const replicas = numberAt(live.stable, 'spec', 'replicas') ?? 1;
  const startReplicas = startReplicasOf(facts, replicas);
  const workload = candidateWorkload(changed.after, naming, startReplicas);
  const routing = routingEntries(facts);
  const services = routing.map(({ after }) => previewService(after, naming));
  const refs = { stable: changed.object, candidate: refOf(workload) };
  const moved = movedBy(facts, { ...sides, refs });
  const preview = previewOf(facts, sides);
  const draft: CandidateDraft = {
    candidate: {
      workload: refs.candidate,
      stable: refs.stable,
      replicas,
      preview: services.flatMap((service) => {
        const port = probedPort(service);
        return port === undefined ? [] : [{ name: service.metadata.name, port }];
      }),
      ...(strategy.route === undefined ? {} : { route: strategy.route }),
      ...pinnedBy(facts, preview),
      ...(isByPods(strategy) ? { byPods: { surges: surges(live.stable) } } : {}),
    },
    services,
    budgets: candidateBudgets(facts, naming, sides.labels),
    routes: preview === undefined ? [] : [preview.route],
    workload,
    autoscaler: candidateAutoscaler(facts, naming, { all: replicas, start: startReplicas }),
    startReplicas,
    borrowed: [...frozen(facts), ...moved],
    warnings: warningsOf(facts, sides),
  };
  return { act: 'beside', draft };
};

/** Without traffic there is nothing to shift. */
const withoutTraffic = (facts: CandidateFacts): string | undefined => {
  const { live, strategy } = facts;
  if ((numberAt(live.stable, 'spec', 'replicas') ?? 1) === 0) return 'it has no pods now';
  const hasService = routingEntries(facts).some(({ before }) => before !== null);
  return hasService || strategy.route !== undefined ? undefined : 'no Service routes to it';
};

/**
 * The candidate of a release on paper: what is created beside the user's objects, which of those
 * are borrowed and for what. Refuses where it could not be kept apart, or traffic would go astray.
 */
export const draftCandidate = (facts: CandidateFacts): Drafted => {
  const name = describeRef(facts.changed.object);
  const reason = withoutTraffic(facts);
  if (reason !== undefined) {
    return { act: 'in-place', warnings: [`${name} is updated in place: ${reason}.`] };
  }
  const { strategy, suffix, changed, live } = facts;
  if (strategy.route !== undefined && live.route === undefined) {
    const subject = `HTTPRoute/${strategy.route}`;
    const message = 'is named by the strategy, but there is none in the namespace';
    return { act: 'refuse', problems: [{ code: 'INVALID_INPUT', subject, message }] };
  }
  const services = routingEntries(facts).map(({ after }) => after);
  const identity = isByPods(strategy)
    ? addedLabel(suffix)
    : identityLabel(changed.after, services, suffix);
  if (identity === undefined) {
    const reason = 'no label of its selector is in the selectors of all Services that route to it';
    const message = `${reason}, so that old and new pods could not be told apart`;
    return { act: 'refuse', problems: [invalid(name, message)] };
  }
  return besides(facts, { suffix, identity });
};
