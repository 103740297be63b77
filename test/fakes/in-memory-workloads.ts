import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type {
  RolloutObservation,
  RolloutRequest,
  Workloads,
} from '../../activities/kubernetes/port.ts';
import { numberAt, recordAt } from '../../domain/delivery/canonical-json.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { isWorkload } from '../../domain/delivery/manifest-set.ts';
import type { StoredPlan } from '../../domain/delivery/release-plan.ts';
import { decidePause, isHeldStill } from '../../domain/delivery/rollout-pause.ts';
import { decideScale, wantedScale } from '../../domain/delivery/workload-scale.ts';
import { imagesOf, selectsPodsOf } from '../../domain/delivery/pod-template.ts';
import { commit } from './in-memory-commit.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { failIfAsked, failure } from './in-memory-failure.ts';
import { readJson, readPreImage } from './in-memory-pre-image.ts';

/** Outside an activity there is nobody to tell and nobody who cancels. */
export const surroundings = (): { heartbeat: (detail: unknown) => void; signal?: AbortSignal } => {
  try {
    const context = Context.current();
    return { heartbeat: (detail) => context.heartbeat(detail), signal: context.cancellationSignal };
  } catch {
    return { heartbeat: () => undefined };
  }
};

export const pause = async (deps: InMemoryDeps): Promise<void> => {
  const { signal } = surroundings();
  await delay(deps.knobs.pollEveryMs, undefined, signal === undefined ? {} : { signal });
};

const deploymentOf = (deps: InMemoryDeps, ref: ObjectRef): KubernetesObject => {
  const live = deps.state.get(ref);
  if (live === undefined) throw failure('ROLLOUT_FAILED', `${describeRef(ref)} is not there`);
  return live;
};

/** Ready pods where nothing but the knob is in their way. */
const readyPodsOf = (deps: InMemoryDeps, ref: ObjectRef): number => {
  const wanted = numberAt(deploymentOf(deps, ref), 'spec', 'replicas') ?? 1;
  return Math.min(wanted, deps.knobs.readyPods?.(ref.name) ?? wanted);
};

/** One look at a workload, whatever state it is in. */
export const observeInMemory = (
  deps: InMemoryDeps,
  object: ObjectRef,
): Pick<RolloutObservation, 'wantedReplicas' | 'readyReplicas'> =>
  observe(deps, object, !deps.state.stuck.has(describeRef(object)) && !failsByImage(deps, object));

const observe = (deps: InMemoryDeps, ref: ObjectRef, ready: boolean): RolloutObservation => {
  const live = deploymentOf(deps, ref);
  const set = deps.state.activeReplicaSet(live);
  const wanted = numberAt(live, 'spec', 'replicas') ?? 1;
  const readyReplicas = ready ? readyPodsOf(deps, ref) : 0;
  return {
    generation: live.metadata.generation ?? 0,
    replicaSet: { name: set?.name ?? '', uid: set?.uid ?? '' },
    wantedReplicas: wanted,
    readyReplicas,
    pods: Array.from({ length: wanted }, (_, index) => {
      const isReady = index < readyReplicas;
      const reason = isReady ? '' : 'ContainersNotReady';
      return { name: `${set?.name ?? ''}-${String(index)}`, ready: isReady, reason };
    }),
  };
};

/** Is an image of the workload one that fails? */
const failsByImage = (deps: InMemoryDeps, ref: ObjectRef): boolean =>
  imagesOf(deploymentOf(deps, ref)).some(({ image }) =>
    Object.keys(deps.knobs.failRolloutOfImage).some((text) => image.includes(text)),
  );

const failByImage = (deps: InMemoryDeps, ref: ObjectRef): void => {
  for (const { container, image } of imagesOf(deploymentOf(deps, ref))) {
    for (const [text, code] of Object.entries(deps.knobs.failRolloutOfImage)) {
      if (!image.includes(text)) continue;
      if (ref.kind === 'StatefulSet') deps.state.stuck.add(describeRef(ref));
      const message = `${describeRef(ref)}: container ${container} with ${image} fails`;
      throw failure(code, message, describeRef(ref));
    }
  }
};

/** Fails where an image of the workload does, unless only its ready pods are asked for. */
const look = (
  deps: InMemoryDeps,
  { object, leastReady = Infinity }: RolloutRequest,
  polls: number,
): { observation: RolloutObservation; isAnswer: boolean } => {
  const paused = isHeldStill(deploymentOf(deps, object));
  const held = paused || deps.state.stuck.has(describeRef(object));
  const ready = polls >= deps.knobs.pollsUntilReady && !held;
  const isBroken = leastReady < Infinity && failsByImage(deps, object);
  const observation = observe(deps, object, ready && !isBroken);
  if (observation.readyReplicas >= leastReady) return { observation, isAnswer: true };
  if (!paused) failByImage(deps, object);
  const isComplete = observation.readyReplicas === observation.wantedReplicas;
  return { observation, isAnswer: ready && isComplete };
};

const awaitRollout = async (
  deps: InMemoryDeps,
  request: RolloutRequest,
): Promise<RolloutObservation> => {
  let waitedMs = 0;
  const name = describeRef(request.object);
  if (request.forceEpoch !== undefined) deps.state.stuck.delete(name);
  for (let polls = 0; ; polls += 1) {
    const { observation, isAnswer } = look(deps, request, polls);
    surroundings().heartbeat(observation);
    if (isAnswer) return observation;
    if (waitedMs >= request.deadlineMs) {
      const message = `${name} was not ready after ${request.deadlineMs} ms`;
      throw failure('ROLLOUT_DEADLINE', message, name);
    }
    await pause(deps);
    waitedMs += deps.knobs.pollEveryMs;
  }
};

/** Pods that a Service routes to, by the ReplicaSet they belong to. */
const routedSets = (deps: InMemoryDeps, service: string): Set<string> => {
  const live = deps.state.get({ apiVersion: 'v1', kind: 'Service', name: service });
  const selector = recordAt(live, 'spec', 'selector');
  const workloads = deps.state
    .all()
    .filter((object) => isWorkload(object) && selectsPodsOf(selector, object))
    .filter((workload) => (numberAt(workload, 'spec', 'replicas') ?? 1) > 0);
  return new Set(workloads.map((workload) => deps.state.activeReplicaSet(workload)?.uid ?? ''));
};

/** Endpoints follow their Service at once; where they lead elsewhere they stay there. */
const awaitEndpoints = (
  deps: InMemoryDeps,
  { services, replicaSetUid, replicas }: Parameters<Workloads['awaitEndpoints']>[0],
): { endpoints: number } => {
  for (const service of services) {
    const sets = routedSets(deps, service);
    if (sets.size === 1 && sets.has(replicaSetUid)) continue;
    const message = `Service/${service} has endpoints of ${[...sets].join(', ') || 'nobody'}`;
    throw failure('ROLLOUT_DEADLINE', message, `Service/${service}`);
  }
  return { endpoints: replicas * services.length };
};

const setPaused: (
  deps: InMemoryDeps,
  request: Parameters<Workloads['setPaused']>[0],
) => { changed: boolean } = (deps, request) => {
  const live = deps.state.get(request.object);
  if (live === undefined) return { changed: false };
  const decision = decidePause(live, request);
  const name = describeRef(request.object);
  if (decision.act === 'refuse') throw failure('FENCED', `${name}: ${decision.reason}`, name);
  if (decision.act === 'nothing') return { changed: false };
  deps.state.put(decision.target);
  deps.writes.push(`${request.paused ? 'pause' : 'resume'} ${name}`);
  return { changed: true };
};

const scale = async (
  deps: InMemoryDeps,
  request: Parameters<Workloads['scale']>[0],
): Promise<{ changed: boolean; generation: number }> => {
  const { object, planDigest } = request;
  const { entries } = await readJson<StoredPlan>(deps, planDigest);
  const name = describeRef(object);
  const live = deps.state.get(object);
  if (live === undefined) throw failure('FOREIGN_CHANGE', `${name} is not there`, name);
  const decision = decideScale(live, wantedScale(entries, request), request);
  const generation = live.metadata.generation ?? 0;
  if (decision.act === 'nothing') return { changed: false, generation };
  if (decision.act === 'refuse') {
    throw failure(decision.code, `${name} was not scaled: ${decision.reason}`, name);
  }
  const stored = commit(deps, `scale ${name}`, () => deps.state.put(decision.target));
  return { changed: decision.changes, generation: stored?.metadata.generation ?? generation };
};

/** The verbs of `Workloads` on objects in memory; time passes only by the knobs. */
export const createInMemoryWorkloads = (deps: InMemoryDeps): Workloads => {
  const asked = (verb: keyof Workloads): void => failIfAsked(deps, verb);
  return {
    awaitRollout: async (request) => (asked('awaitRollout'), awaitRollout(deps, request)),
    awaitEndpoints: async (request) => (asked('awaitEndpoints'), awaitEndpoints(deps, request)),
    setPaused: async (request) => (asked('setPaused'), setPaused(deps, request)),
    scale: async (request) => (asked('scale'), scale(deps, request)),
    keepLogs: async ({ object }) => {
      asked('keepLogs');
      const text = `log of ${describeRef(object)}`;
      return { logsDigest: await deps.blobs.put(new TextEncoder().encode(text)), lines: 1 };
    },
    retire: async ({ object, preImageDigest }) => {
      asked('retire');
      const live = deploymentOf(deps, object);
      const before = await readPreImage(deps, preImageDigest);
      const known = before.objects.flatMap(({ replicaSetUids }) => replicaSetUids);
      const active = deps.state.activeReplicaSet(live);
      const sets = deps.state.replicaSets.get(live.metadata.uid ?? '') ?? [];
      const failed = sets.filter(({ uid }) => uid !== active?.uid && !known.includes(uid));
      const kept = sets.filter((set) => !failed.includes(set));
      deps.state.replicaSets.set(live.metadata.uid ?? '', kept);
      return { deleted: failed.map(({ name }) => name) };
    },
  };
};
