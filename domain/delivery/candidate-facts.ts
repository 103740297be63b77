import { recordAt } from './canonical-json.ts';
import { describeRef, type KubernetesObject } from './kubernetes-object.ts';
import { describeObject } from './manifest-set.ts';
import { selectsPodsOf } from './pod-template.ts';
import type { PreviewHeader } from './preview-route.ts';
import type { PlanEntry } from './release-plan.ts';
import type { RolloutStrategy } from './rollout-plan.ts';

export type CandidateStrategy = Extract<RolloutStrategy, { type: 'blue-green' | 'canary' }>;

/** What the candidate depends on, as it is in the namespace now. */
export interface CandidateFacts {
  strategy: CandidateStrategy;
  /** Six hex digits that stand for the release and its manifests. */
  suffix: string;
  /** Requests with it reach the candidate, where a route is named. */
  previewHeader?: PreviewHeader | undefined;
  /** What the release does to the user's own objects, in writing order. */
  entries: readonly PlanEntry[];
  /** The entry of the workload whose pods change. */
  changed: PlanEntry;
  live: {
    stable: KubernetesObject;
    services: readonly KubernetesObject[];
    budgets: readonly KubernetesObject[];
    workloads: readonly KubernetesObject[];
    autoscalers: readonly KubernetesObject[];
    /** Undefined where they may not be read. */
    policies: readonly KubernetesObject[] | undefined;
    route: KubernetesObject | undefined;
    /** All routes of the namespace that may be read, where one is named. */
    routes: readonly KubernetesObject[];
  };
}

/** Services of the manifests that route to the workload as it will be. */
export const routingEntries = ({ entries, changed }: CandidateFacts): PlanEntry[] =>
  entries.filter(
    ({ object, after }) =>
      object.kind === 'Service' &&
      selectsPodsOf(recordAt(after, 'spec', 'selector'), changed.after),
  );

/** Objects of the namespace that the plan does not touch. */
export const outside = (
  facts: CandidateFacts,
  objects: readonly KubernetesObject[],
): KubernetesObject[] => {
  const known = new Set(facts.entries.map(({ object }) => describeRef(object)));
  return objects.filter((object) => !known.has(describeObject(object)));
};

/** As the objects of a kind will be: the plan's own, and those that it does not touch. */
export const asPlanned = (
  facts: CandidateFacts,
  kind: string,
  live: readonly KubernetesObject[],
): KubernetesObject[] => [
  ...facts.entries.filter(({ object }) => object.kind === kind).map(({ after }) => after),
  ...outside(facts, live),
];
