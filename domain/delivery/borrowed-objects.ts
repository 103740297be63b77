import { copyJson, equalJson, recordAt } from './canonical-json.ts';
import { frozenAutoscaler, type CandidateNaming } from './candidate-objects.ts';
import type { CandidateFacts } from './candidate-facts.ts';
import type { TrafficMove } from './candidate.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';
import { describeObject } from './manifest-set.ts';
import { normalised } from './normalised-object.ts';
import type { PlanEntry } from './release-plan.ts';
import { autoscalerOf } from './replica-ownership.ts';
import type { BackendPair } from './route-backends.ts';
import { openedRoute } from './route-opening.ts';

/** The first and the last write to an object of the user that is only borrowed for the rollout. */
export interface BorrowedObject {
  verb: 'freeze' | 'open' | 'switch';
  live: KubernetesObject;
  /** What the first write is to make of it, normalised. */
  wanted: KubernetesObject;
  /** What it is to end as, normalised. */
  end: KubernetesObject;
  /** The step that ends it. */
  lastStep: string;
  /** It is not part of the manifests: no service holds it afterwards. */
  isForeign: boolean;
  traffic?: { there: TrafficMove; back: TrafficMove };
  backends?: BackendPair[];
}

/** A Service that sends everything to the candidate for a time. */
export const switchedService = (
  facts: CandidateFacts,
  entry: PlanEntry,
  { naming, refs }: { naming: CandidateNaming; refs: { stable: ObjectRef; candidate: ObjectRef } },
): BorrowedObject[] => {
  const live = facts.live.services.find(
    (service) => describeObject(service) === describeRef(entry.object),
  );
  if (live === undefined) return [];
  const wanted = copyJson(entry.after);
  recordAt(wanted, 'spec', 'selector')[naming.identity.key] = naming.identity.candidate;
  const services = [entry.object.name];
  const { stable, candidate } = refs;
  return [
    {
      verb: 'switch',
      live,
      wanted,
      end: entry.after,
      lastStep: `return ${describeRef(entry.object)}`,
      isForeign: false,
      traffic: {
        there: { services, before: stable, after: candidate },
        back: { services, before: candidate, after: stable },
      },
    },
  ];
};

/** A route that shares its traffic between stable and candidate. */
export const openRoute = (route: KubernetesObject, backends: BackendPair[]): BorrowedObject => {
  const end = normalised(route);
  return {
    verb: 'open',
    live: route,
    wanted: openedRoute(end, backends).target,
    end,
    lastStep: `close ${describeObject(route)}`,
    isForeign: true,
    backends,
  };
};

/** The autoscaler of the stable workload, which must not shrink it while it has no traffic. */
export const frozen = (facts: CandidateFacts): BorrowedObject[] => {
  const live = autoscalerOf(facts.live.stable, facts.live.autoscalers);
  if (live === undefined) return [];
  const own = facts.entries.find(({ object }) => describeRef(object) === describeObject(live));
  const now = normalised(live);
  const wanted = frozenAutoscaler(now);
  if (equalJson(now, wanted)) return [];
  return [
    {
      verb: 'freeze',
      live,
      wanted,
      end: own?.after ?? now,
      lastStep: own?.action === 'patch' ? own.step : `unfreeze ${describeObject(live)}`,
      isForeign: own === undefined,
    },
  ];
};
