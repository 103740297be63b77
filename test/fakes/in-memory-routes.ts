import type { Routes } from '../../activities/kubernetes/port.ts';
import { isRecord, listAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import type { PlanEntry, StoredPlan } from '../../domain/delivery/release-plan.ts';
import { routeAcceptance } from '../../domain/delivery/route-acceptance.ts';
import { openRulesIn } from '../../domain/delivery/route-backends.ts';
import { decideWeight } from '../../domain/delivery/route-weights.ts';
import { returnMove } from '../../domain/delivery/traffic-return.ts';
import { commit } from './in-memory-commit.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failIfAsked, failure } from './in-memory-failure.ts';
import { readJson } from './in-memory-pre-image.ts';
import { observeInMemory, pause, surroundings } from './in-memory-workloads.ts';

type WeightRequest = Parameters<Routes['setWeight']>[0];
type WeightReceipt = Awaited<ReturnType<Routes['setWeight']>>;

const notOpened: WeightReceipt = { opened: false, changed: false, generation: 0 };

/** What a gateway reports of a route that it serves. */
const reported = (
  route: KubernetesObject,
  reporting: boolean | readonly string[],
): KubernetesObject => {
  const said = listAt(route, 'status', 'parents').filter(isRecord);
  const parents = listAt(route, 'spec', 'parentRefs')
    .filter(isRecord)
    .flatMap((parentRef) => {
      const name = stringAt(parentRef, 'name') ?? '';
      if (reporting !== true && (reporting === false || !reporting.includes(name))) {
        return said.filter((parent) => stringAt(parent, 'parentRef', 'name') === name);
      }
      const conditions = ['Accepted', 'ResolvedRefs'].map((type) => ({
        type,
        status: 'True',
        observedGeneration: route.metadata.generation ?? 0,
      }));
      return [{ parentRef, conditions }];
    });
  return { ...route, status: { parents } };
};

const weigh = (deps: InMemoryDeps, opening: PlanEntry, request: WeightRequest): WeightReceipt => {
  const name = describeRef(opening.object);
  const live = deps.state.get(opening.object);
  if (live === undefined) return notOpened;
  const { backends: pairs = [], after } = opening;
  const { weightPercent, onlyLess } = request;
  const opened = openRulesIn(after, pairs).length;
  const decision = decideWeight(live, { pairs, opened, weightPercent, onlyLess }, request);
  const generation = live.metadata.generation ?? 0;
  if (decision.act === 'not-open') return notOpened;
  if (decision.act === 'nothing') return { opened: true, changed: false, generation };
  if (decision.act === 'refuse') throw failure(decision.code, `${name}: ${decision.reason}`, name);
  const step = `weigh ${name} ${String(weightPercent)}`;
  const stored = commit(deps, step, () => deps.state.put(decision.target));
  const { changes: changed } = decision;
  return { opened: true, changed, generation: stored?.metadata.generation ?? generation };
};

const awaitAcceptance = async (
  deps: InMemoryDeps,
  ref: ObjectRef,
  { deadlineMs, generation }: { deadlineMs: number; generation: number },
): Promise<void> => {
  for (let waitedMs = 0; ; waitedMs += deps.knobs.pollEveryMs) {
    const live = deps.state.get(ref);
    if (live !== undefined) deps.state.put(reported(live, deps.knobs.hasGateway));
    const seen = deps.state.get(ref) ?? { ...ref, metadata: { name: ref.name } };
    const { accepted, missing } = routeAcceptance(seen, generation);
    surroundings().heartbeat({ missing });
    if (accepted) return;
    if (waitedMs >= deadlineMs) {
      throw failure('ROUTE_NOT_ACCEPTED', missing.join('; '), describeRef(ref));
    }
    await pause(deps);
  }
};

const carriesAll = (
  deps: InMemoryDeps,
  { stable, workload, replicas: givenPods }: WeightRequest['candidate'],
  plannedPods: number,
): boolean => {
  const { wantedReplicas: wantedPods, readyReplicas: readyPods } = observeInMemory(deps, stable);
  const isThere = deps.state.get(workload) !== undefined;
  const beside = isThere ? observeInMemory(deps, workload).readyReplicas : 0;
  const move = returnMove({
    plannedPods,
    stable: { wantedPods, readyPods },
    candidate: { givenPods, readyPods: beside },
    isRaised: false,
  });
  return move.weightPercent === 0;
};

/** The verbs of `Routes` on objects in memory; a gateway is there unless a knob says otherwise. */
export const createInMemoryRoutes = (deps: InMemoryDeps): Routes => ({
  setWeight: async (request) => {
    failIfAsked(deps, 'setWeight');
    const { entries } = await readJson<StoredPlan>(deps, request.planDigest);
    const opening = entries.find(({ backends }) => backends !== undefined);
    if (opening === undefined) return notOpened;
    const { plannedPods, candidate } = request;
    if (plannedPods !== undefined && !carriesAll(deps, candidate, plannedPods)) {
      return { ...notOpened, tooFewPods: true };
    }
    const receipt = weigh(deps, opening, request);
    const { opened, generation } = receipt;
    const { deadlineMs } = request;
    if (opened) await awaitAcceptance(deps, opening.object, { deadlineMs, generation });
    return receipt;
  },
  awaitTaken: async ({ route, deadlineMs }) => {
    failIfAsked(deps, 'awaitTaken');
    const generation = deps.state.get(route)?.metadata.generation ?? 0;
    await awaitAcceptance(deps, route, { deadlineMs, generation });
    return { generation };
  },
});
