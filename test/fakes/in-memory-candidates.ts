import type { PlanRequest } from '../../activities/kubernetes/port.ts';
import type { BorrowedObject } from '../../domain/delivery/borrowed-objects.ts';
import { changedWorkloads, draftCandidate } from '../../domain/delivery/candidate-draft.ts';
import type { CandidateFacts, CandidateStrategy } from '../../domain/delivery/candidate-facts.ts';
import type { CandidateProblem } from '../../domain/delivery/candidate-refusals.ts';
import { recreated, strategyProblems } from '../../domain/delivery/recreated-workloads.ts';
import { arrangeCandidate, newObjectsOf } from '../../domain/delivery/candidate-plan.ts';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { describeObject, refOf } from '../../domain/delivery/manifest-set.ts';
import { annotationOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failure, sha256 } from './in-memory-failure.ts';

export interface InMemoryEntries {
  entries: PlanEntry[];
  candidate?: Candidate;
  warnings: string[];
}

const suffixChars = 6;

const suffixOf = ({ release, manifestsDigest }: PlanRequest): string =>
  sha256(`${release}\n${manifestsDigest}`).slice(0, suffixChars);

const factsOf = (
  deps: InMemoryDeps,
  request: PlanRequest & { strategy: CandidateStrategy },
  plan: { entries: readonly PlanEntry[]; changed: PlanEntry },
): CandidateFacts | undefined => {
  const { strategy } = request;
  const all = deps.state.all();
  const ofKind = (kind: string): KubernetesObject[] => all.filter((found) => found.kind === kind);
  const routes = [...ofKind('HTTPRoute'), ...ofKind('GRPCRoute')];
  const workloads = ofKind('Deployment');
  const name = describeRef(plan.changed.object);
  const stable = workloads.find((workload) => describeObject(workload) === name);
  if (stable === undefined) return undefined;
  const live = {
    stable,
    services: ofKind('Service'),
    budgets: ofKind('PodDisruptionBudget'),
    workloads,
    autoscalers: ofKind('HorizontalPodAutoscaler'),
    policies: ofKind('NetworkPolicy'),
    route: routes.find(({ metadata }) => metadata.name === strategy.route),
    routes,
  };
  const { previewHeader } = request;
  return { strategy, suffix: suffixOf(request), previewHeader, ...plan, live };
};

const refuseHeld = (borrowed: readonly BorrowedObject[], request: PlanRequest): void => {
  for (const { live } of borrowed) {
    const holder = annotationOf(live, 'service');
    if (holder === undefined || holder === serviceKeyOf(request)) continue;
    const name = describeObject(live);
    throw failure('OBJECT_HELD', `${name} belongs to ${holder}; nothing was touched.`, name);
  }
};

const refuseTaken = (deps: InMemoryDeps, objects: readonly KubernetesObject[]): void => {
  for (const object of objects) {
    if (deps.state.get(refOf(object)) === undefined) continue;
    const name = describeObject(object);
    throw failure('OBJECT_HELD', `${name} is there already; nothing was touched.`, name);
  }
};

const onlyOne = (changed: readonly PlanEntry[]): PlanEntry | undefined => {
  if (changed.length < 2) return changed[0];
  const names = changed.map(({ object }) => describeRef(object)).join(', ');
  throw failure('MANIFEST_INVALID', `the pods of ${names} change; nothing was touched.`, names);
};

const refused = (problems: readonly CandidateProblem[]): Error => {
  const { code = 'MANIFEST_INVALID', subject } = problems[0] ?? {};
  const message = problems.map((found) => `${found.subject} ${found.message}`).join('; ');
  return failure(code, `${message}; nothing was touched.`, subject);
};

/** Fits the plan to the strategy as the real adapter does. */
export const planStrategyInMemory = (
  deps: InMemoryDeps,
  request: PlanRequest,
  entries: PlanEntry[],
): InMemoryEntries => {
  const { strategy } = request;
  if (strategy === undefined || strategy.type === 'rolling') return { entries, warnings: [] };
  const problems = strategyProblems(strategy.type, entries);
  if (problems.length > 0) throw refused(problems);
  return strategy.type === 'recreate'
    ? recreated(entries, `${suffixOf(request)}.${String(request.epoch)}`)
    : planBeside(deps, { ...request, strategy }, entries);
};

/** Plans the candidate; what is asked for is what will be. */
const planBeside = (
  deps: InMemoryDeps,
  request: PlanRequest & { strategy: CandidateStrategy },
  entries: PlanEntry[],
): InMemoryEntries => {
  const inPlace = { entries, warnings: [] };
  const changed = onlyOne(changedWorkloads(entries));
  if (changed === undefined) return inPlace;
  const facts = factsOf(deps, request, { entries, changed });
  if (facts === undefined) return inPlace;
  const drafted = draftCandidate(facts);
  if (drafted.act === 'in-place') return { ...inPlace, warnings: drafted.warnings };
  if (drafted.act === 'refuse') throw refused(drafted.problems);
  const { draft } = drafted;
  refuseTaken(deps, newObjectsOf(draft));
  refuseHeld(draft.borrowed, request);
  const predicted = new Map(
    draft.borrowed.map(({ live, wanted }) => [describeObject(live), wanted]),
  );
  const plan = `${facts.suffix}.${String(request.epoch)}`;
  return {
    entries: arrangeCandidate({ entries, draft, predicted, plan, epoch: request.epoch }),
    candidate: draft.candidate,
    warnings: draft.warnings,
  };
};
