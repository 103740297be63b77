import { equalJson, numberAt } from '../../domain/delivery/canonical-json.ts';
import { guardedPatch } from '../../domain/delivery/guarded-patch.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { describeObject, refOf } from '../../domain/delivery/manifest-set.ts';
import { withManifest } from '../../domain/delivery/manifest-merge.ts';
import { normalised } from '../../domain/delivery/normalised-object.ts';
import { annotationOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import { ownerElsewhere } from '../../domain/delivery/object-owner.ts';
import { backOnLive, marked, markedAsCreated } from '../../domain/delivery/object-writes.ts';
import { stepNameOf, type PlanEntry } from '../../domain/delivery/release-plan.ts';
import { lastAppliedText, withoutRemovedFields } from '../../domain/delivery/removed-fields.ts';
import {
  autoscalerOf,
  hasReplicas,
  startingReplicas,
  withoutReplicas,
  withReplicas,
} from '../../domain/delivery/replica-ownership.ts';
import { setOnceChanges } from '../../domain/delivery/set-once-fields.ts';
import { isLeftBehind } from '../../domain/delivery/spent-objects.ts';
import { codedFailure } from '../coded-failure.ts';
import { isInvalid } from './api-error.ts';
import { rehearseBackward } from './backward-rehearsal.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { parseLastApplied } from './manifest-loading.ts';
import { createObject, patchObject, previewApply, readObject } from './object-access.ts';
import type { PlanRequest } from './port.ts';
import { untilDecided } from './release-writes.ts';

export interface PlanningContext {
  cluster: Cluster;
  request: PlanRequest;
  /** The manifests, with names by content. */
  objects: readonly KubernetesObject[];
  /** The manifests of the last good release. */
  previous: readonly KubernetesObject[];
  /** Autoscalers that are in the cluster now. */
  autoscalers: readonly KubernetesObject[];
}

const entryFor = (
  object: KubernetesObject,
  action: PlanEntry['action'],
  fields: Partial<PlanEntry> & { after: KubernetesObject },
): PlanEntry => ({
  step: stepNameOf(action, refOf(object)),
  object: refOf(object),
  action,
  before: null,
  body: null,
  replicas: 0,
  autoscaledBefore: false,
  autoscaledAfter: false,
  ...fields,
});

/** What someone else releases or manages is not touched. @throws OBJECT_HELD, OBJECT_OWNED_ELSEWHERE */
export const refuseOthers = (live: KubernetesObject, request: PlanRequest): void => {
  const name = describeRef(refOf(live));
  const holder = annotationOf(live, 'service');
  if (holder !== undefined && holder !== serviceKeyOf(request)) {
    throw codedFailure({
      code: 'OBJECT_HELD',
      message: `${name} belongs to the service ${holder}; nothing was touched.`,
      subject: name,
    });
  }
  const owner = ownerElsewhere(live);
  if (owner === undefined || holder !== undefined || request.adopt) return;
  throw codedFailure({
    code: 'OBJECT_OWNED_ELSEWHERE',
    message: `${name} is managed by ${owner}, which would undo the change; nothing was touched.`,
    subject: name,
  });
};

/** @throws IMMUTABLE_CHANGE */
const refuseSetOnce = (live: KubernetesObject, manifest: KubernetesObject): void => {
  const fields = setOnceChanges(live, manifest);
  if (fields.length === 0) return;
  const name = describeObject(manifest);
  throw codedFailure({
    code: 'IMMUTABLE_CHANGE',
    message: `${name}: Kubernetes never changes ${fields.join(', ')} of a ${live.kind} that is there; nothing was touched.`,
    subject: name,
  });
};

/** The API server's answer to the creation is what will be there; workloads are born with no replicas. */
const planNew = async (
  context: PlanningContext,
  manifest: KubernetesObject,
): Promise<PlanEntry[]> => {
  const { cluster, request, objects, autoscalers } = context;
  const isScaled = hasReplicas(manifest);
  const body = isScaled ? withReplicas(manifest, 0) : manifest;
  const predicted = await createObject(cluster, markedAsCreated(body, request), { dryRun: true });
  const after = normalised(predicted, { allocated: true });
  const autoscaler = autoscalerOf(manifest, objects) ?? autoscalerOf(manifest, autoscalers);
  const autoscaledAfter = autoscaler !== undefined;
  const create = entryFor(manifest, 'create', { after, body, autoscaledAfter });
  if (!isScaled) return [create];
  const replicas = startingReplicas(manifest, autoscaler);
  const active = withReplicas(after, replicas);
  return [create, entryFor(manifest, 'activate', { after: active, replicas, autoscaledAfter })];
};

/** What was recorded of the object the last time it was written from a manifest. */
const recordedManifest = (
  { previous, request }: PlanningContext,
  live: KubernetesObject,
): KubernetesObject | undefined => {
  const name = describeObject(live);
  if (request.previousManifestsDigest !== undefined) {
    return previous.find((object) => describeObject(object) === name);
  }
  const text = lastAppliedText(live);
  return text === undefined ? undefined : parseLastApplied(text);
};

/**
 * The target is what the API server answers to an apply that is only asked. Where it refuses
 * because something that the last manifest had is in the way of the new one (two ports that
 * would need names, two sources of one volume, two handlers of one probe), that is taken out
 * first and the manifest laid over the rest; the patch is dry-run all the same.
 */
const targetOf = async (
  cluster: Cluster,
  live: KubernetesObject,
  { previous, next }: { previous: KubernetesObject | undefined; next: KubernetesObject },
): Promise<KubernetesObject> => {
  if (previous === undefined) return previewApply(cluster, next);
  try {
    return withoutRemovedFields(await previewApply(cluster, next), { previous, next });
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return withManifest(withoutRemovedFields(live, { previous, next }), next);
  }
};

const planExisting = async (
  context: PlanningContext,
  live: KubernetesObject,
  manifest: KubernetesObject,
): Promise<PlanEntry[]> => {
  const { cluster, request, objects, autoscalers } = context;
  refuseOthers(live, request);
  refuseSetOnce(live, manifest);
  const autoscaledBefore = autoscalerOf(live, autoscalers) !== undefined;
  const autoscaledAfter = autoscaledBefore || autoscalerOf(manifest, objects) !== undefined;
  const scope = { autoscaledReplicas: autoscaledBefore };
  const wanted = autoscaledAfter ? withoutReplicas(manifest) : manifest;
  const previous = recordedManifest(context, live);
  const target = await targetOf(cluster, live, { previous, next: wanted });
  const before = normalised(live, scope);
  const base = { before, autoscaledBefore, autoscaledAfter };
  const action = isLeftBehind(live, request, context.previous) ? 'patch' : 'keep';
  const keep = entryFor(manifest, action, { ...base, after: before });
  if (equalJson(before, normalised(target, scope))) return [keep];
  const draft = entryFor(manifest, 'patch', { ...base, after: before });
  const whole = marked(backOnLive(normalised(target, scope), live, draft), request);
  const change = { ref: refOf(live), operations: guardedPatch(live, whole) };
  const predicted = await patchObject(cluster, change, { dryRun: true });
  const after = normalised(predicted, scope);
  if (equalJson(before, after)) return [keep];
  await rehearseBackward({ cluster, live, predicted, scope });
  const nodes = numberAt(predicted, 'status', 'desiredNumberScheduled');
  const replicas = numberAt(predicted, 'spec', 'replicas') ?? nodes ?? 0;
  return [{ ...draft, after, replicas }];
};

/** What must happen to one object, as the API server itself answers; nothing is stored in the cluster. */
export const planObject = async (
  context: PlanningContext,
  manifest: KubernetesObject,
): Promise<PlanEntry[]> => {
  const subject = { subject: describeObject(manifest), secret: manifest.kind === 'Secret' };
  // Controllers report on an object all the time: where it moved on while it was asked about, it
  // is read and asked about again.
  return translated(subject, async () =>
    untilDecided(describeObject(manifest), async () => {
      const live = await readObject(context.cluster, refOf(manifest));
      return live === undefined
        ? planNew(context, manifest)
        : planExisting(context, live, manifest);
    }),
  );
};
