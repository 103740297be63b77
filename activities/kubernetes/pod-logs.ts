import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { stringAt } from '../../domain/delivery/canonical-json.ts';
import { allContainersIn } from '../../domain/delivery/pod-template.ts';
import { currentAttempt } from './activity-attempt.ts';
import type { Cluster } from './environments.ts';
import { collections, objectPath } from './object-access.ts';

interface LogRequest {
  pod: string;
  container: string;
  tailLines: number;
  previous: boolean;
}

/** Logs are evidence, not a step: whatever goes wrong while they are read, there are none. */
const readLog = async (cluster: Cluster, request: LogRequest): Promise<string[]> => {
  try {
    const path = `${objectPath(cluster.namespace, { ...collections.pods, name: request.pod })}/log`;
    const text = await cluster.api.text({
      method: 'GET',
      path,
      accept: '*/*',
      query: {
        container: request.container,
        tailLines: String(request.tailLines),
        limitBytes: String(64 * 1024),
        ...(request.previous ? { previous: 'true' } : {}),
      },
    });
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (currentAttempt().signal?.aborted === true) throw error;
    return [];
  }
};

const shownLines = 10;
const longestShownLine = 300;

/** The last lines that a failing container wrote; those of the run that crashed, where there is one. */
export const lastLogLines = async (
  cluster: Cluster,
  container: { pod: string; name: string },
): Promise<string[]> => {
  const request = { pod: container.pod, container: container.name, tailLines: shownLines };
  const crashed = await readLog(cluster, { ...request, previous: true });
  const lines =
    crashed.length > 0 ? crashed : await readLog(cluster, { ...request, previous: false });
  return lines.map((line) => line.slice(0, longestShownLine));
};

const keptLinesPerContainer = 200;

/** The logs of one pod, each line with the container that wrote it. */
export const podLogLines = async (cluster: Cluster, pod: KubernetesObject): Promise<string[]> => {
  const lists = await Promise.all(
    allContainersIn(pod).map(async (container) => {
      const name = stringAt(container, 'name') ?? '';
      const request = { pod: pod.metadata.name, container: name, tailLines: keptLinesPerContainer };
      const [before, now] = await Promise.all([
        readLog(cluster, { ...request, previous: true }),
        readLog(cluster, { ...request, previous: false }),
      ]);
      return [...before, ...now].map((line) => `${pod.metadata.name}/${name}: ${line}`);
    }),
  );
  return lists.flat();
};
