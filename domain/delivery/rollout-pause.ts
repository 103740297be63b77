import { copyJson, isRecord, recordAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { annotationOf, fenceOf, withAnnotations } from './object-fence.ts';

export type PauseDecision =
  | { act: 'patch'; target: KubernetesObject }
  | { act: 'nothing' }
  | { act: 'refuse'; reason: string };

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
  const isPaused = recordAt(live, 'spec')['paused'] === true;
  const isOurs = annotationOf(live, 'paused') !== undefined;
  if (request.paused === isPaused || (isPaused && !isOurs)) return { act: 'nothing' };
  const changed = copyJson(live);
  if (!isRecord(changed['spec'])) return { act: 'nothing' };
  if (request.paused) changed['spec']['paused'] = true;
  else Reflect.deleteProperty(changed['spec'], 'paused');
  const paused = request.paused ? String(request.epoch) : undefined;
  return { act: 'patch', target: withAnnotations(changed, { paused }) };
};
