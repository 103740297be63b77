import type { RolloutPhase, TrafficMove } from './candidate.ts';
import { canonicalJson, isRecord, listAt, numberAt, recordAt } from './canonical-json.ts';
import { pointerOf } from './json-pointer.ts';
import { describeRef, type KubernetesObject, type ObjectRef } from './kubernetes-object.ts';
import { describeObject, isWorkload } from './manifest-set.ts';
import { diffValues } from './object-diff.ts';
import { imagesOf, selectsPodsOf } from './pod-template.ts';
import type { BackendPair } from './route-backends.ts';

export type PlannedAction = 'create' | 'activate' | 'patch' | 'keep';

/** One object of a stored plan: everything that is needed to carry it out and to undo it. */
export interface PlanEntry {
  step: string;
  object: ObjectRef;
  action: PlannedAction;
  /** Normalised object that the plan was made from; null where there was none. */
  before: KubernetesObject | null;
  /** Normalised object as the API server said it will be. */
  after: KubernetesObject;
  /** What is sent to create the object; null for the other actions. */
  body: KubernetesObject | null;
  /** Replicas of a workload after this change; what `activate` gives to one created with none. */
  replicas: number;
  /** An autoscaler that was there before owns the replicas; they are left alone, there and back. */
  autoscaledBefore: boolean;
  /** The plan adds an autoscaler; on the way back the replicas return to their old number. */
  autoscaledAfter: boolean;
  /** Replicas that this write sets although an autoscaler owns them. */
  scale?: { before: number; after: number };
  /** When it is written, where the release has phases. */
  phase?: RolloutPhase;
  /** Exists for the time of the rollout only. */
  temporary?: true;
  /** Set where the change moves traffic. */
  traffic?: TrafficMove;
  /** One of several writes to an object that was there before. */
  chain?: ChainLink;
  /** On a route that is opened for the candidate: the Services between which its weights move. */
  backends?: BackendPair[];
  /** On the workload of the user whose number of pods makes the share before it is updated. */
  shared?: SharedReplicas;
}

/** Pods of the user's workload are scaled between the first share and its update. */
export interface SharedReplicas {
  /** Of the forward writes; the way back has a higher one. */
  epoch: number;
  /** Pods that it has outside of the rollout. */
  replicas: number;
}

/**
 * An object that is written more than once by one plan says in an annotation which write it had
 * last. Without that a late attempt of the first could not tell the state before it from the
 * same state after the last one, and would move the traffic again.
 */
export interface ChainLink {
  /** Names the plan among all plans of all services. */
  plan: string;
  /** From 1. */
  link: number;
  /** After this write no service holds the object any more: it is as it was, for all to use. */
  givesBack?: true;
  /** The state before this write leads to this object: where it is gone, nothing goes back there. */
  needs?: ObjectRef;
}

export interface StoredPlan {
  planVersion: 1;
  environment: string;
  service: string;
  release: string;
  namespace: string;
  clusterUid: string;
  entries: PlanEntry[];
}

/**
 * Order of writing: what pods read and what routes to them is there before them; an
 * autoscaler comes last, because it acts as soon as it exists.
 */
const kindOrder = [
  'ConfigMap',
  'Secret',
  'Service',
  'PodDisruptionBudget',
  'StatefulSet',
  'DaemonSet',
  'Deployment',
  'HorizontalPodAutoscaler',
];

export const inWritingOrder = <T extends { kind: string }>(objects: readonly T[]): T[] =>
  kindOrder.flatMap((kind) => objects.filter((object) => object.kind === kind));

export const stepNameOf = (action: PlannedAction, object: ObjectRef): string =>
  `${action} ${describeRef(object)}`;

const longestShownValue = 80;

/** A value as the reader of a plan sees it; nothing of a Secret is ever shown. */
export const shownValue = (kind: string, value: unknown): string => {
  if (value === undefined) return 'absent';
  if (kind === 'Secret') return '(secret)';
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return text.length <= longestShownValue ? text : `${text.slice(0, longestShownValue - 1)}…`;
};

/** More fields than this are counted, not listed: a plan must fit into a history event. */
const longestFieldList = 60;

export interface ShownField {
  path: string;
  before: string;
  after: string;
}

/** The changed fields of one object, in the words of the plan. */
export const shownFields = (
  before: KubernetesObject | null,
  after: KubernetesObject,
): ShownField[] => {
  if (before === null) return [{ path: '', before: 'absent', after: 'new object' }];
  const changes = diffValues(before, after);
  const shown = changes.slice(0, longestFieldList).map((change) => ({
    path: pointerOf(change.path),
    before: shownValue(after.kind, change.before),
    after: shownValue(after.kind, change.after),
  }));
  const rest = changes.length - shown.length;
  return rest > 0
    ? [...shown, { path: '…', before: '', after: `${String(rest)} more fields` }]
    : shown;
};

const defaultProgressDeadlineSeconds = 600;

export interface RolloutExpectation {
  replicas: number;
  /** Services of the plan that route to the workload's pods. */
  services: string[];
  progressDeadlineMs: number;
  minReadyMs: number;
}

/** Services whose ready endpoints must all belong to this workload's new version. */
const servicesOf = (workload: KubernetesObject, objects: readonly KubernetesObject[]): string[] => {
  const others = objects.filter(
    (object) => isWorkload(object) && describeObject(object) !== describeObject(workload),
  );
  return objects.flatMap((object) => {
    const selector = recordAt(object, 'spec', 'selector');
    const routes =
      object.kind === 'Service' &&
      selectsPodsOf(selector, workload) &&
      !others.some((other) => selectsPodsOf(selector, other));
    return routes ? [object.metadata.name] : [];
  });
};

/** Only Deployments say how long they may take; the others replace their pods one by one. */
const progressDeadlineSeconds = (workload: KubernetesObject, replicas: number): number =>
  numberAt(workload, 'spec', 'progressDeadlineSeconds') ??
  defaultProgressDeadlineSeconds * (workload.kind === 'Deployment' ? 1 : Math.max(1, replicas));

const rolloutOf = (
  { after: workload, replicas, phase }: PlanEntry,
  objects: readonly KubernetesObject[],
): RolloutExpectation => ({
  replicas,
  services: phase === 'stop' ? [] : servicesOf(workload, objects),
  progressDeadlineMs: progressDeadlineSeconds(workload, replicas) * 1000,
  minReadyMs: (numberAt(workload, 'spec', 'minReadySeconds') ?? 0) * 1000,
});

/** A change as the reader of the plan sees it. */
export interface ShownChange {
  index: number;
  step: string;
  object: ObjectRef;
  action: PlannedAction;
  fields: ShownField[];
  rollout?: RolloutExpectation;
  phase?: RolloutPhase;
  temporary?: boolean;
  traffic?: TrafficMove;
}

/** A DaemonSet has its pods from the moment it is created. */
const startsRollout = ({ action, object }: PlanEntry): boolean =>
  isWorkload(object) &&
  (action === 'patch' || action === (object.kind === 'DaemonSet' ? 'create' : 'activate'));

const fieldsOf = ({ action, before, after, replicas, scale }: PlanEntry): ShownField[] => {
  const replicasFrom = (from: number): ShownField[] => [
    { path: '/spec/replicas', before: String(from), after: String(replicas) },
  ];
  if (action === 'activate') return replicasFrom(0);
  const scaled = scale === undefined ? [] : replicasFrom(scale.before);
  return [...scaled, ...shownFields(before, after)];
};

const plannedChangeOf = (
  entry: PlanEntry,
  index: number,
  objects: readonly KubernetesObject[],
): ShownChange => ({
  index,
  step: entry.step,
  object: entry.object,
  action: entry.action,
  fields: fieldsOf(entry),
  ...(startsRollout(entry) ? { rollout: rolloutOf(entry, objects) } : {}),
  ...(entry.phase === undefined ? {} : { phase: entry.phase }),
  ...(entry.temporary === undefined ? {} : { temporary: entry.temporary }),
  ...(entry.traffic === undefined ? {} : { traffic: entry.traffic }),
});

/**
 * The changes of a plan as they are shown and travel in history. A Service whose traffic moves
 * belongs to no rollout: which pods it routes to is decided by the moves.
 */
export const plannedChanges = (entries: readonly PlanEntry[]): ShownChange[] => {
  const objects = entries.filter(({ traffic }) => traffic === undefined).map(({ after }) => after);
  return entries.map((entry, index) => plannedChangeOf(entry, index, objects));
};

/** The port to probe: that of HTTP by name, else the first. */
export const probedPort = (service: KubernetesObject): number | undefined => {
  const ports = listAt(service, 'spec', 'ports').filter(isRecord);
  const http = ports.find((port) => port['name'] === 'http') ?? ports[0];
  return numberAt(http, 'port');
};

/** Services that route to the plan's own pods, with the port to probe. */
export const routedServices = (
  objects: readonly KubernetesObject[],
): { name: string; port: number }[] => {
  const workloads = objects.filter(isWorkload);
  return objects.flatMap((object) => {
    if (object.kind !== 'Service') return [];
    const selector = recordAt(object, 'spec', 'selector');
    const port = probedPort(object);
    if (port === undefined) return [];
    return workloads.some((workload) => selectsPodsOf(selector, workload))
      ? [{ name: object.metadata.name, port }]
      : [];
  });
};

export const plannedImages = (
  objects: readonly KubernetesObject[],
): { container: string; image: string }[] => objects.filter(isWorkload).flatMap(imagesOf);
