import {
  canonicalJson,
  copyJson,
  isRecord,
  numberAt,
  recordAt,
  type JsonRecord,
} from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { annotationOf, fenceOf, withAnnotations } from './object-fence.ts';
import { rebase } from './three-way.ts';

export type PauseDecision =
  | { act: 'patch'; target: KubernetesObject }
  | { act: 'nothing' }
  | { act: 'refuse'; reason: string };

const isOurs = (workload: KubernetesObject): boolean =>
  annotationOf(workload, 'paused') !== undefined;

/** Only a Deployment has a field for it; of the others only a pause of ours can be told. */
export const isHeldStill = (workload: KubernetesObject): boolean =>
  workload.kind === 'Deployment' ? recordAt(workload, 'spec')['paused'] === true : isOurs(workload);

export const partitionOf = (workload: KubernetesObject): number =>
  numberAt(workload, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;

/** Pods of a StatefulSet below this ordinal have not been replaced yet. */
const notYetReplaced = (workload: KubernetesObject): number => {
  const observed = numberAt(workload, 'status', 'observedGeneration') ?? 0;
  const isCurrent = observed >= (workload.metadata.generation ?? 0);
  const updated = isCurrent ? (numberAt(workload, 'status', 'updatedReplicas') ?? 0) : 0;
  return (numberAt(workload, 'spec', 'replicas') ?? 1) - updated;
};

/**
 * The update strategy with which no further pod is replaced. A StatefulSet keeps the old version
 * below its partition, also where a pod is lost; a DaemonSet knows nothing of the kind.
 */
const heldStrategy = (kind: string, strategy: JsonRecord, partition: number): JsonRecord =>
  kind === 'DaemonSet'
    ? { ...strategy, type: 'OnDelete' }
    : { ...strategy, rollingUpdate: { ...recordAt(strategy, 'rollingUpdate'), partition } };

const specOf = (workload: KubernetesObject): JsonRecord => {
  const { spec } = workload;
  if (!isRecord(spec)) throw new TypeError('a workload has a spec');
  return spec;
};

const stop = (live: KubernetesObject, epoch: number): KubernetesObject => {
  const changed = copyJson(live);
  const spec = specOf(changed);
  if (live.kind === 'Deployment') {
    spec['paused'] = true;
    return withAnnotations(changed, { paused: String(epoch) });
  }
  const strategy = recordAt(spec, 'updateStrategy');
  const partition = Math.max(partitionOf(live), notYetReplaced(live));
  spec['updateStrategy'] = heldStrategy(live.kind, strategy, partition);
  return withAnnotations(changed, { paused: canonicalJson(strategy) });
};

const goOn = (live: KubernetesObject): KubernetesObject => {
  const changed = copyJson(live);
  const spec = specOf(changed);
  if (live.kind === 'Deployment') Reflect.deleteProperty(spec, 'paused');
  else {
    const to = JSON.parse(annotationOf(live, 'paused') ?? '{}') as JsonRecord;
    const from = heldStrategy(live.kind, to, partitionOf(live));
    spec['updateStrategy'] = rebase({ from, to, live: spec['updateStrategy'] }).target;
  }
  return withAnnotations(changed, { paused: undefined });
};

/**
 * Stops or continues a rolling update. The fence is tested but not raised, so that the pause does
 * not pass for the release's own write; a pause that someone else made is left alone.
 */
export const decidePause = (
  live: KubernetesObject,
  request: { paused: boolean; epoch: number },
): PauseDecision => {
  if (fenceOf(live) > request.epoch) {
    return {
      act: 'refuse',
      reason: `its fence is ${String(fenceOf(live))}, this attempt has epoch ${String(request.epoch)}`,
    };
  }
  const isPaused = isHeldStill(live);
  if (request.paused === isPaused || (isPaused && !isOurs(live))) return { act: 'nothing' };
  return { act: 'patch', target: request.paused ? stop(live, request.epoch) : goOn(live) };
};

/** What a release wrote, as its own pause has changed it since. */
export const withOwnPause = (
  written: KubernetesObject,
  live: KubernetesObject,
): KubernetesObject => {
  if (!isOurs(live) || !isRecord(written['spec'])) return written;
  const changed = copyJson(written);
  const spec = specOf(changed);
  if (live.kind === 'Deployment') spec['paused'] = recordAt(live, 'spec')['paused'];
  else {
    const strategy = recordAt(spec, 'updateStrategy');
    spec['updateStrategy'] = heldStrategy(live.kind, strategy, partitionOf(live));
  }
  return changed;
};
