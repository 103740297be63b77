import { describeRef, type ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { routeAcceptance } from '../../domain/delivery/route-acceptance.ts';
import { openRulesIn } from '../../domain/delivery/route-backends.ts';
import { decideWeight } from '../../domain/delivery/route-weights.ts';
import type { PlanEntry } from '../../domain/delivery/release-plan.ts';
import { returnMove } from '../../domain/delivery/traffic-return.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { openChangeFeed } from './change-feed.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { readObject } from './object-access.ts';
import type { Routes } from './port.ts';
import { openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { untilDecided, writeGuarded } from './release-writes.ts';
import { observeWorkload } from './rollout-watch.ts';

type WeightRequest = Parameters<Routes['setWeight']>[0];
type WeightReceipt = Awaited<ReturnType<Routes['setWeight']>>;

/** Also the longest time for which a dead watch goes unnoticed, and the beat of the heart. */
const longestSilenceMs = 1_000;

const notOpened: WeightReceipt = { opened: false, changed: false, generation: 0 };

const weighOnce = async (
  cluster: Cluster,
  opening: PlanEntry,
  request: WeightRequest,
): Promise<WeightReceipt> => {
  const subject = describeRef(opening.object);
  const live = await readObject(cluster, opening.object);
  if (live === undefined) return notOpened;
  const pairs = opening.backends ?? [];
  const opened = openRulesIn(opening.after, pairs).length;
  const { weightPercent, onlyLess } = request;
  const wanted = { pairs, opened, weightPercent, onlyLess };
  const decision = decideWeight(live, wanted, request);
  const generation = live.metadata.generation ?? 0;
  switch (decision.act) {
    case 'not-open':
      return notOpened;
    case 'nothing':
      return { opened: true, changed: false, generation };
    case 'refuse':
      throw codedFailure({
        code: decision.code,
        message: `${subject}: ${decision.reason}; nothing was written.`,
        subject,
      });
    case 'patch': {
      const stored = await writeGuarded(cluster, live, decision.target);
      const { changes: changed } = decision;
      return { opened: true, changed, generation: stored.metadata.generation ?? generation };
    }
  }
};

/** How long parents have to take this generation, and what was written, for the reader. */
interface Acceptance {
  generation: number;
  deadlineMs: number;
  what: string;
}

const notAccepted = (subject: string, { what, deadlineMs }: Acceptance, missing: string[]): Error =>
  codedFailure({
    code: 'ROUTE_NOT_ACCEPTED',
    message: `${subject} ${what}, but after ${String(deadlineMs)} ms: ${missing.join('; ')}.`,
    subject,
  });

/**
 * The API server stores a weight long before a gateway goes by it. A backend that was just made
 * may be unresolved at first (`BackendNotFound`), so that only the deadline decides.
 */
const awaitAcceptance = async (
  cluster: Cluster,
  ref: ObjectRef,
  acceptance: Acceptance,
): Promise<void> => {
  const attempt = currentAttempt();
  const deadlineAtMs = (attempt.scheduledAtMs ?? Date.now()) + acceptance.deadlineMs;
  const fieldSelector = `metadata.name=${ref.name}`;
  const feed = openChangeFeed(cluster, [{ ...ref, fieldSelector }]);
  try {
    for (;;) {
      throwIfCancelled(attempt);
      const live = await readObject(cluster, ref);
      const { accepted, missing } =
        live === undefined
          ? { accepted: false, missing: ['it is not there any more'] }
          : routeAcceptance(live, acceptance.generation);
      attempt.heartbeat({ route: describeRef(ref), missing });
      if (accepted) return;
      if (Date.now() >= deadlineAtMs) throw notAccepted(describeRef(ref), acceptance, missing);
      await feed.next(longestSilenceMs);
    }
  } finally {
    feed.close();
  }
};

/** Undefined where nobody could tell: the way back never depends on the candidate. */
const readyPodsOf = async (cluster: Cluster, object: ObjectRef): Promise<number | undefined> => {
  try {
    return (await observeWorkload(cluster, object)).readyReplicas;
  } catch (error) {
    return codedErrorOf(error)?.code === 'ROLLOUT_FAILED' ? 0 : undefined;
  }
};

/** Can the ready pods of the stable workload take everything now? */
const carriesAll = async (
  cluster: Cluster,
  { stable, workload, replicas: givenPods }: WeightRequest['candidate'],
  plannedPods: number,
): Promise<boolean> => {
  const [observed, readyPods] = await Promise.all([
    observeWorkload(cluster, stable),
    readyPodsOf(cluster, workload),
  ]);
  const pods = { wantedPods: observed.wantedReplicas, readyPods: observed.readyReplicas };
  const candidate = { givenPods, readyPods };
  const move = returnMove({ plannedPods, stable: pods, candidate, isRaised: false });
  return move.weightPercent === 0;
};

const setWeight = async (deps: ReleaseDeps, request: WeightRequest): Promise<WeightReceipt> => {
  const { cluster, plan } = await openPlan(deps, request);
  const opening = plan.entries.find(({ backends }) => backends !== undefined);
  if (opening === undefined) return notOpened;
  const { object } = opening;
  const subject = describeRef(object);
  return translated({ subject }, async () => {
    const { plannedPods, candidate } = request;
    if (plannedPods !== undefined && !(await carriesAll(cluster, candidate, plannedPods))) {
      return { ...notOpened, tooFewPods: true };
    }
    const receipt = await untilDecided(subject, async () => weighOnce(cluster, opening, request));
    if (receipt.opened) {
      const { deadlineMs, weightPercent } = request;
      const most = request.onlyLess === true ? 'at most ' : '';
      const what = `has ${most}${String(weightPercent)} % for the candidate`;
      await awaitAcceptance(cluster, object, { what, deadlineMs, generation: receipt.generation });
    }
    return receipt;
  });
};

const awaitTaken = async (
  deps: ReleaseDeps,
  { environment, route, deadlineMs }: Parameters<Routes['awaitTaken']>[0],
): Promise<{ generation: number }> => {
  const cluster = await deps.environments.locate(environment);
  return translated({ subject: describeRef(route) }, async () => {
    const live = await readObject(cluster, route);
    const generation = live?.metadata.generation ?? 0;
    await awaitAcceptance(cluster, route, { what: 'is there', deadlineMs, generation });
    return { generation };
  });
};

/** Weights on HTTPRoutes, or GRPCRoutes, of the Gateway API. */
export const createRoutes = (deps: ReleaseDeps): Routes => ({
  setWeight: async (request) => setWeight(deps, request),
  awaitTaken: async (request) => awaitTaken(deps, request),
});
