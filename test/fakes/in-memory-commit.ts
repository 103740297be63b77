import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { fenceOf } from '../../domain/delivery/object-fence.ts';
import type { InMemoryDeps } from './in-memory-cluster.ts';

/** Carries out one effective write, with the hooks of a test around it. */
export const commit = (
  deps: InMemoryDeps,
  step: string,
  run: () => KubernetesObject | undefined,
): KubernetesObject | undefined => {
  deps.knobs.beforeWrite?.(step);
  const stored = run();
  deps.writes.push(`${step} @${stored === undefined ? '' : String(fenceOf(stored))}`);
  deps.knobs.afterWrite?.(step);
  return stored;
};
