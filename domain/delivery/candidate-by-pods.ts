import { numberAt, recordAt, stringAt } from './canonical-json.ts';
import {
  asPlanned,
  routingEntries,
  type CandidateFacts,
  type CandidateStrategy,
} from './candidate-facts.ts';
import type { IdentityLabel } from './candidate-objects.ts';
import { podLabelsOf, type CandidateProblem } from './candidate-refusals.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { describeObject } from './manifest-set.ts';
import { matchesPlainSelector } from './label-selector.ts';
import type { WeightStep } from './rollout-plan.ts';
import { autoscalerOf } from './replica-ownership.ts';
import { replicaShare, shareByPodsText, type ReplicaShare } from './replica-share.ts';

/** A canary without a route: the Services take both versions, and the pods make the share. */
export const isByPods = (strategy: CandidateStrategy): boolean =>
  strategy.type === 'canary' && strategy.route === undefined;

/**
 * A label that the stable pods do not have. All others are the same on both sides, so that the
 * Services take the pods of both without a write to them. Each Deployment still finds its own by
 * their owner; only an autoscaler counts by labels, and there is none.
 */
export const addedLabel = (suffix: string): IdentityLabel => ({
  key: 'holdfast.dev/candidate',
  stable: undefined,
  candidate: suffix,
});

/** May the rolling update of the workload have a pod more than it has now? */
export const surges = (workload: KubernetesObject): boolean => {
  const strategy = recordAt(workload, 'spec', 'strategy');
  if (strategy['type'] === 'Recreate') return false;
  const most = recordAt(strategy, 'rollingUpdate')['maxSurge'];
  return most !== 0 && most !== '0%';
};

/** The pods of every stop, with what comes of them. */
const sharesOf = ({ strategy, live }: CandidateFacts): (WeightStep & ReplicaShare)[] => {
  const replicas = numberAt(live.stable, 'spec', 'replicas') ?? 1;
  return strategy.steps.map((step) => ({
    ...step,
    ...replicaShare({ ...step, replicas, surges: surges(live.stable) }),
  }));
};

/** Pods of the new version at the first stop. */
export const firstShare = (facts: CandidateFacts): number => sharesOf(facts)[0]?.candidate ?? 1;

const field = 'strategy.route';

const input = (message: string, subject = field): CandidateProblem => ({
  code: 'INVALID_INPUT',
  subject,
  message,
});

const othersBehind = (facts: CandidateFacts): CandidateProblem[] => {
  const stable = describeObject(facts.live.stable);
  const others = facts.live.workloads.filter((workload) => describeObject(workload) !== stable);
  return routingEntries(facts).flatMap(({ after }) =>
    others
      .filter((other) =>
        matchesPlainSelector(recordAt(after, 'spec', 'selector'), podLabelsOf(other)),
      )
      .map((other) =>
        input(
          `is missing, and ${describeObject(after)} routes to ${describeObject(other)} too: the numbers of pods would not make the share`,
        ),
      ),
  );
};

/** Why the numbers of pods cannot make the share here. */
export const byPodsProblems = (facts: CandidateFacts): CandidateProblem[] => {
  const { live } = facts;
  const all = asPlanned(facts, 'HorizontalPodAutoscaler', live.autoscalers);
  const autoscaler = autoscalerOf(live.stable, [...all, ...live.autoscalers]);
  const name = describeObject(live.stable);
  const fought =
    autoscaler === undefined
      ? []
      : [
          input(
            `is missing, so that the numbers of pods would make the share, but ${describeObject(autoscaler)} owns that of ${name}; name a route`,
          ),
        ];
  const none = sharesOf(facts).flatMap((share, index) =>
    share.candidate > 0 && share.stable > 0
      ? []
      : [
          input(
            `cannot be had: ${String(share.weightPercent)} % of the pods of ${name} are ${shareByPodsText(share)}; give it more pods, allow it a surge, or name a route`,
            `strategy.steps[${String(index)}].weight`,
          ),
        ],
  );
  return [...fought, ...none, ...othersBehind(facts)];
};

/** What the reader of the plan has to know of a share that is made by pods. */
export const byPodsNotes = (facts: CandidateFacts): string[] => {
  const stops = sharesOf(facts).map(
    (share) => `${String(share.weightPercent)} % is ${shareByPodsText(share)}`,
  );
  const services = routingEntries(facts).map(({ after }) => describeObject(after));
  const sticky = routingEntries(facts)
    .filter(({ after }) => stringAt(after, 'spec', 'sessionAffinity') === 'ClientIP')
    .map(({ after }) => `${describeObject(after)} keeps a client on one pod: shares are rougher.`);
  return [
    `No route is named, so that the numbers of pods make the share: ${stops.join('; ')}.`,
    `Pods of the new version are behind ${services.join(', ')} as soon as they are ready, also before the preview is checked.`,
    ...sticky,
  ];
};
