import { isRecord, listAt, recordAt, stringAt } from '../../domain/delivery/canonical-json.ts';
import { endpointVerdict, type EndpointVerdict } from '../../domain/delivery/endpoint-readiness.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt, throwIfCancelled } from './activity-attempt.ts';
import { openChangeFeed } from './change-feed.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { collections, listObjects } from './object-access.ts';
import type { Workloads } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { isOwnedBy } from './replica-sets.ts';

type EndpointsRequest = Parameters<Workloads['awaitEndpoints']>[0];

const longestSilenceMs = 1_000;
const serviceLabel = 'kubernetes.io/service-name';

/** uids of the pods behind the ready endpoints of each Service. */
const readyPods = async (
  cluster: Cluster,
  services: readonly string[],
): Promise<Map<string, string[]>> => {
  const { items } = await listObjects(cluster, collections.endpointSlices);
  const byService = new Map(services.map((name) => [name, [] as string[]]));
  for (const slice of items) {
    const pods = byService.get(slice.metadata.labels?.[serviceLabel] ?? '');
    if (pods === undefined) continue;
    const ready = listAt(slice, 'endpoints')
      .filter(isRecord)
      // A missing condition counts as ready (EndpointSlice API).
      .filter((endpoint) => recordAt(endpoint, 'conditions')['ready'] !== false)
      .map((endpoint) => stringAt(endpoint, 'targetRef', 'uid') ?? 'unknown');
    pods.push(...ready);
  }
  return byService;
};

const observe = async (cluster: Cluster, request: EndpointsRequest): Promise<EndpointVerdict> => {
  const [pods, endpoints] = await Promise.all([
    listObjects(cluster, collections.pods, { metadataOnly: true }),
    readyPods(cluster, request.services),
  ]);
  const own = pods.items.filter(
    (pod) =>
      isOwnedBy(pod, request.replicaSetUid) && pod.metadata['deletionTimestamp'] === undefined,
  );
  const ownUids = new Set(own.map((pod) => pod.metadata.uid ?? ''));
  return endpointVerdict({ endpoints, ownUids, replicas: request.replicas });
};

/** Waits until traffic to the Services can reach the new version only. */
export const awaitEndpoints = async (
  deps: ReleaseDeps,
  request: EndpointsRequest,
): Promise<{ endpoints: number }> => {
  const cluster = await deps.environments.locate(request.environment);
  const attempt = currentAttempt();
  const subject = request.services.map((name) => `Service/${name}`).join(', ');
  return translated({ subject }, async () => {
    const labelSelector = `${serviceLabel} in (${request.services.join(',')})`;
    const feed = openChangeFeed(cluster, [{ ...collections.endpointSlices, labelSelector }]);
    const deadlineAtMs = (attempt.scheduledAtMs ?? Date.now()) + request.deadlineMs;
    try {
      for (;;) {
        throwIfCancelled(attempt);
        const verdict = await observe(cluster, request);
        attempt.heartbeat(verdict);
        if (verdict.settled) return { endpoints: verdict.endpoints };
        if (Date.now() >= deadlineAtMs) {
          throw codedFailure({
            code: 'ROLLOUT_DEADLINE',
            message: `After ${String(request.deadlineMs)} ms ${verdict.waitingFor}.`,
            subject,
          });
        }
        await feed.next(longestSilenceMs);
      }
    } finally {
      feed.close();
    }
  });
};
