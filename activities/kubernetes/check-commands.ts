import { stringAt } from '../../domain/delivery/canonical-json.ts';
import {
  describeRef,
  type KubernetesObject,
  type ObjectRef,
} from '../../domain/delivery/kubernetes-object.ts';
import { servingContainersOf } from '../../domain/delivery/pod-template.ts';
import { isReady } from '../../domain/delivery/rollout-readiness.ts';
import { codedFailure } from '../coded-failure.ts';
import { currentAttempt } from './activity-attempt.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { collections, listObjects, readObject } from './object-access.ts';
import { runInPod } from './pod-command.ts';
import type { Checks } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { activeReplicaSet, isOwnedBy, labelSelectorOf, replicaSetsOf } from './replica-sets.ts';

type ExecRequest = Parameters<Checks['exec']>[0];
type ExecOutcome = Awaited<ReturnType<Checks['exec']>>;

const heartbeatEveryMs = 1_000;
const shownChars = 300;

const noPod = (ref: ObjectRef, why: string): Error =>
  codedFailure({
    code: 'NO_DATA',
    message: `${describeRef(ref)} ${why}; the command was not run.`,
    subject: describeRef(ref),
  });

/** A ready pod of the version that the workload runs now; always the same while it is there. */
const readyPodOf = async (
  cluster: Cluster,
  ref: ObjectRef,
): Promise<{ deployment: KubernetesObject; pod: string }> => {
  const deployment = await readObject(cluster, ref);
  if (deployment === undefined) throw noPod(ref, 'is not there');
  const active = activeReplicaSet(deployment, await replicaSetsOf(cluster, deployment));
  const labelSelector = labelSelectorOf(deployment);
  const { items } = await listObjects(cluster, collections.pods, { labelSelector });
  const [pod] = items
    .filter((item) => isOwnedBy(item, active?.metadata.uid ?? 'none') && isReady(item))
    .map(({ metadata }) => metadata.name)
    .sort();
  if (pod === undefined) throw noPod(ref, 'has no ready pod');
  return { deployment, pod };
};

const shorten = (text: string): string =>
  // Control characters would garble the terminal of whoever reads the evidence.
  text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(-shownChars);

/** Runs one command, and keeps what it wrote. */
export const execCheck = async (
  { environments, blobs }: ReleaseDeps,
  { environment, object, command, container, timeoutMs }: ExecRequest,
): Promise<ExecOutcome> => {
  const cluster = await environments.locate(environment);
  if (!cluster.carriesTraffic) {
    const reason = `Environment ${environment} declares that its pods carry no traffic (traffic: none); no command was run in them.`;
    return { measured: false, reason };
  }
  const attempt = currentAttempt();
  const beat = setInterval(() => attempt.heartbeat({ command: command[0] }), heartbeatEveryMs);
  try {
    return await translated({ subject: describeRef(object) }, async () => {
      const { deployment, pod } = await readyPodOf(cluster, object);
      const first = stringAt(servingContainersOf(deployment)[0], 'name') ?? '';
      const { exitCode, output, reason } = await runInPod(cluster, {
        pod,
        container: container ?? first,
        command,
        timeoutMs,
      });
      const outputDigest = output.length === 0 ? null : await blobs.put(output);
      const answer = shorten([reason, output.toString('utf8')].filter(Boolean).join(': '));
      return { measured: true, pod, exitCode, answer, outputDigest };
    });
  } finally {
    clearInterval(beat);
  }
};
