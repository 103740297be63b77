import { setTimeout as delay } from 'node:timers/promises';
import { listAt, recordAt } from '../../domain/delivery/canonical-json.ts';
import { describeRef, type KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { describeObject, managedKinds } from '../../domain/delivery/manifest-set.ts';
import {
  inWritingOrder,
  plannedChanges,
  plannedImages,
  routedServices,
  type PlanEntry,
} from '../../domain/delivery/release-plan.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import { ApiError, isNotFound } from './api-error.ts';
import type { Cluster, Environments } from './environments.ts';
import { planStrategy } from './candidate-planning.ts';
import { translated } from './error-translation.ts';
import { loadManifests, loadRecordedManifests } from './manifest-loading.ts';
import { listObjects } from './object-access.ts';
import { planObject, type PlanningContext } from './object-planning.ts';
import { checkPermissions } from './permission-check.ts';
import type { PlanRequest, ReleasePlan } from './port.ts';
import { storePlan, type Blobs } from './stored-plans.ts';

export interface ReleaseDeps {
  environments: Environments;
  blobs: Blobs;
}

/** A release never creates its namespace, so that it must be there; who may not read it finds out later. */
const requireNamespace = async (cluster: Cluster): Promise<void> => {
  const { namespace } = cluster;
  const missing = (why: string): Error =>
    codedFailure({
      code: 'NAMESPACE_MISSING',
      message: `The namespace ${namespace} of environment ${cluster.environment} ${why}; nothing was touched.`,
      subject: namespace,
    });
  try {
    const found = await cluster.api.call({
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(namespace)}`,
    });
    if (recordAt(found, 'status')['phase'] === 'Terminating') throw missing('is being deleted');
  } catch (error) {
    if (isNotFound(error)) throw missing('does not exist');
    if (!(error instanceof ApiError && error.status === 403)) throw error;
  }
};

const goneObjects = (
  previous: readonly KubernetesObject[],
  objects: readonly KubernetesObject[],
): string[] => {
  const kept = new Set(objects.map(describeObject));
  return previous
    .filter((object) => object['immutable'] !== true)
    .map(describeObject)
    .filter((name) => !kept.has(name))
    .map(
      (name) =>
        `${name} was in the last release and is in the manifests no more; it stays as it is.`,
    );
};

const contextOf = async (
  deps: ReleaseDeps,
  cluster: Cluster,
  request: PlanRequest,
): Promise<PlanningContext & { warnings: string[] }> => {
  const { blobs } = deps;
  const { objects, renamed } = await loadManifests(
    blobs,
    request.manifestsDigest,
    cluster.namespace,
  );
  await checkPermissions(cluster, new Set(objects.map(({ kind }) => kind)));
  const recorded = request.previousManifestsDigest;
  const previous = recorded === undefined ? [] : await loadRecordedManifests(blobs, recorded);
  const autoscalers = await listObjects(cluster, {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: managedKinds.HorizontalPodAutoscaler.apiVersion,
  });
  const warnings = [
    ...renamed.map(({ from, to }) => `${from} is written as ${to}, because pods read it.`),
    ...goneObjects(previous, objects),
  ];
  return { cluster, request, objects, previous, autoscalers: autoscalers.items, warnings };
};

/** What Kubernetes makes for a StatefulSet stays: data is not a release's to delete. */
const volumeWarnings = (entries: readonly PlanEntry[]): string[] =>
  entries
    .filter(({ action, after }) => action === 'create' && claimsVolumes(after))
    .map(
      ({ object }) =>
        `The volumes that ${describeRef(object)} claims stay, also when the release is put back.`,
    );

const claimsVolumes = (object: KubernetesObject): boolean =>
  listAt(object, 'spec', 'volumeClaimTemplates').length > 0;

const adoptionWarnings = (entries: readonly PlanEntry[], request: PlanRequest): string[] => {
  const existing = entries.some(({ before }) => before !== null);
  return existing && request.previousManifestsDigest === undefined
    ? [
        'No manifest of an earlier release is recorded: only fields that `kubectl apply` recorded are removed where the manifests have them no more.',
      ]
    : [];
};

/** How often a plan is made within one attempt, because an object changed meanwhile. */
const mostPlans = 8;

/** Lets the other writer finish; status reports of controllers come in bursts. */
const pauseMs = 40;

/**
 * Reads, resolves and asks the API server about every object; stores only the plan, in the blob
 * store. What is asked is guarded as the write will be, so that a report of a controller between
 * reading and asking refuses it: then all is read again.
 */
export const planRelease = async (
  deps: ReleaseDeps,
  request: PlanRequest,
): Promise<ReleasePlan> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await planOnce(deps, request);
    } catch (error) {
      if (tries === mostPlans || codedErrorOf(error)?.code !== 'WRITE_CONFLICT') throw error;
      await delay(pauseMs * tries);
    }
  }
};

const planOnce = async (deps: ReleaseDeps, request: PlanRequest): Promise<ReleasePlan> => {
  const cluster = await deps.environments.locate(request.environment, { check: true });
  return translated({ subject: request.environment }, async () => {
    await requireNamespace(cluster);
    const context = await contextOf(deps, cluster, request);
    const ordered = inWritingOrder(context.objects);
    const planned = await Promise.all(ordered.map(async (object) => planObject(context, object)));
    const { entries, candidate, warnings } = await planStrategy(context, planned.flat());
    const planDigest = await storePlan(deps.blobs, {
      planVersion: 1,
      environment: request.environment,
      service: request.service,
      release: request.release,
      namespace: cluster.namespace,
      clusterUid: cluster.uid,
      entries,
    });
    return {
      planDigest,
      changes: plannedChanges(entries),
      warnings: [
        ...context.warnings,
        ...adoptionWarnings(entries, request),
        ...volumeWarnings(entries),
        ...warnings,
      ],
      images: plannedImages(context.objects),
      services: routedServices(context.objects),
      ...(candidate === undefined ? {} : { candidate }),
    };
  });
};
