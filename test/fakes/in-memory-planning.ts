import type { PlanRequest, ReleasePlan } from '../../activities/kubernetes/port.ts';
import { equalJson, numberAt } from '../../domain/delivery/canonical-json.ts';
import { withHashedConfig } from '../../domain/delivery/config-hash-names.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { decodeManifestSet, describeObject, refOf } from '../../domain/delivery/manifest-set.ts';
import { problemsOf } from '../../domain/delivery/manifest-validation.ts';
import { normalised } from '../../domain/delivery/normalised-object.ts';
import { annotationOf, serviceKeyOf } from '../../domain/delivery/object-fence.ts';
import {
  inWritingOrder,
  plannedChanges,
  plannedImages,
  routedServices,
  stepNameOf,
  type PlanEntry,
  type StoredPlan,
} from '../../domain/delivery/release-plan.ts';
import { withoutRemovedFields } from '../../domain/delivery/removed-fields.ts';
import {
  autoscalerOf,
  hasReplicas,
  startingReplicas,
  withoutReplicas,
  withReplicas,
} from '../../domain/delivery/replica-ownership.ts';
import { isLeftBehind } from '../../domain/delivery/spent-objects.ts';
import { planStrategyInMemory } from './in-memory-candidates.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';
import { mergeManifest } from './in-memory-cluster-state.ts';
import { failure, sha256 } from './in-memory-failure.ts';

export const inMemoryNamespace = 'in-memory';

const readSet = async (deps: InMemoryDeps, digest: string): Promise<KubernetesObject[]> => {
  const set = decodeManifestSet(new TextDecoder().decode(await deps.blobs.get(digest)));
  const [problem] = problemsOf(set, inMemoryNamespace);
  if (problem !== undefined) {
    throw failure(problem.code, `${problem.object}: ${problem.message}`, problem.object);
  }
  return withHashedConfig(set.objects, sha256).objects;
};

const entryOf = (
  object: KubernetesObject,
  action: PlanEntry['action'],
  sides: Partial<PlanEntry> & { after: KubernetesObject },
): PlanEntry => ({
  step: stepNameOf(action, refOf(object)),
  object: refOf(object),
  action,
  before: null,
  body: null,
  replicas: 0,
  autoscaledBefore: false,
  autoscaledAfter: false,
  ...sides,
});

const createEntries = (object: KubernetesObject, all: KubernetesObject[]): PlanEntry[] => {
  if (!hasReplicas(object)) return [entryOf(object, 'create', { after: object, body: object })];
  const autoscaler = autoscalerOf(object, all);
  const replicas = startingReplicas(object, autoscaler);
  const born = withReplicas(object, 0);
  const autoscaledAfter = autoscaler !== undefined;
  return [
    entryOf(object, 'create', { after: born, body: born, autoscaledAfter }),
    entryOf(object, 'activate', {
      after: withReplicas(object, replicas),
      replicas,
      autoscaledAfter,
    }),
  ];
};

interface ManifestSides {
  all: KubernetesObject[];
  previous: KubernetesObject[];
  request: PlanRequest;
}

const patchEntries = (
  deps: InMemoryDeps,
  sides: { live: KubernetesObject; manifest: KubernetesObject },
  { all, previous, request }: ManifestSides,
): PlanEntry[] => {
  const { live, manifest } = sides;
  const autoscaledBefore = autoscalerOf(live, deps.state.all()) !== undefined;
  const autoscaledAfter = autoscalerOf(manifest, all) !== undefined;
  const wanted = autoscaledBefore || autoscaledAfter ? withoutReplicas(manifest) : manifest;
  const recorded = previous.find((object) => describeObject(object) === describeObject(manifest));
  const preview = mergeManifest(live, wanted) as KubernetesObject;
  const merged =
    recorded === undefined
      ? preview
      : withoutRemovedFields(preview, { previous: recorded, next: wanted });
  const scope = { autoscaledReplicas: autoscaledBefore };
  const before = normalised(live, scope);
  const after = normalised(merged, scope);
  const untouched = equalJson(before, after) && !isLeftBehind(live, request, previous);
  const action = untouched ? 'keep' : 'patch';
  const replicas = numberAt(merged, 'spec', 'replicas') ?? 0;
  return [
    entryOf(manifest, action, { before, after, replicas, autoscaledBefore, autoscaledAfter }),
  ];
};

/** Plans as the real adapter does, with a merge in place of the server's dry run. */
export const planInMemory = async (
  deps: InMemoryDeps,
  request: PlanRequest,
): Promise<ReleasePlan> => {
  const all = await readSet(deps, request.manifestsDigest);
  const previous =
    request.previousManifestsDigest === undefined
      ? []
      : await readSet(deps, request.previousManifestsDigest);
  const own = inWritingOrder(all).flatMap((manifest) => {
    const live = deps.state.get(refOf(manifest));
    if (live === undefined) return createEntries(manifest, all);
    const holder = annotationOf(live, 'service');
    if (holder !== undefined && holder !== serviceKeyOf(request)) {
      const name = describeObject(manifest);
      throw failure('OBJECT_HELD', `${name} belongs to ${holder}; nothing was touched.`, name);
    }
    return patchEntries(deps, { live, manifest }, { all, previous, request });
  });
  const { entries, candidate, ...beside } = planStrategyInMemory(deps, request, own);
  const { environment, service, release } = request;
  const where = { environment, service, release, namespace: inMemoryNamespace };
  const stored: StoredPlan = { planVersion: 1, ...where, clusterUid: 'in-memory', entries };
  const warnings =
    request.previousManifestsDigest === undefined && entries.some(({ before }) => before !== null)
      ? [
          'No manifest of an earlier release is recorded: nothing is removed from objects that exist.',
        ]
      : [];
  return {
    planDigest: await deps.blobs.put(new TextEncoder().encode(JSON.stringify(stored))),
    changes: plannedChanges(entries),
    warnings: [...warnings, ...beside.warnings],
    images: plannedImages(all),
    services: routedServices(all),
    ...(candidate === undefined ? {} : { candidate }),
  };
};
