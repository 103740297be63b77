import { isRecord, recordAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** Fields of a spec that Kubernetes takes once and never changes; others are refused by its answer. */
const setOnce: Readonly<Record<string, readonly string[]>> = {
  StatefulSet: ['volumeClaimTemplates', 'serviceName', 'podManagementPolicy', 'selector'],
};

/** Does the live value say everything that the manifest says? The API server adds defaults. */
const contains = (live: unknown, wanted: unknown): boolean => {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item, index) => contains(live[index], item))
    );
  }
  if (!isRecord(wanted)) return live === wanted;
  return isRecord(live) && Object.entries(wanted).every(([key, item]) => contains(live[key], item));
};

/** JSON pointers of fields that the manifest would change and that never can be. */
export const setOnceChanges = (live: KubernetesObject, manifest: KubernetesObject): string[] => {
  const [now, wanted] = [recordAt(live, 'spec'), recordAt(manifest, 'spec')];
  return (setOnce[live.kind] ?? [])
    .filter((field) => wanted[field] !== undefined && !contains(now[field], wanted[field]))
    .map((field) => `/spec/${field}`);
};
