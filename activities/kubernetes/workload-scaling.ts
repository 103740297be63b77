import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import {
  decideScale,
  wantedScale,
  type WantedScale,
} from '../../domain/delivery/workload-scale.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import { translated } from './error-translation.ts';
import { readObject } from './object-access.ts';
import type { Workloads } from './port.ts';
import { openPlan } from './release-context.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { untilDecided, writeGuarded } from './release-writes.ts';

type ScaleRequest = Parameters<Workloads['scale']>[0];

const refusal = (
  code: 'FENCED' | 'FOREIGN_CHANGE',
  { object, replicas }: ScaleRequest,
  reason: string,
): Error =>
  codedFailure({
    code,
    message: `${describeRef(object)} was not scaled to ${String(replicas)}: ${reason}.`,
    subject: describeRef(object),
  });

const scaleOnce = async (
  cluster: Cluster,
  request: ScaleRequest,
  wanted: WantedScale,
): Promise<{ changed: boolean; generation: number }> => {
  const live = await readObject(cluster, request.object);
  if (live === undefined) throw refusal('FOREIGN_CHANGE', request, 'it is not there');
  const decision = decideScale(live, wanted, request);
  const generation = live.metadata.generation ?? 0;
  if (decision.act === 'nothing') return { changed: false, generation };
  if (decision.act === 'refuse') throw refusal(decision.code, request, decision.reason);
  const stored = await writeGuarded(cluster, live, decision.target);
  return { changed: decision.changes, generation: stored.metadata.generation ?? generation };
};

/** Gives a workload of the plan this many pods, at most once however often tried. */
export const scaleWorkload = async (
  deps: ReleaseDeps,
  request: ScaleRequest,
): Promise<{ changed: boolean; generation: number }> => {
  const { cluster, plan } = await openPlan(deps, request);
  const wanted = wantedScale(plan.entries, request);
  const subject = describeRef(request.object);
  return translated({ subject }, async () =>
    untilDecided(subject, async () => scaleOnce(cluster, request, wanted)),
  );
};
