import { isDeepStrictEqual } from 'node:util';
import type { NamespaceSnapshot } from './namespace-snapshot.ts';

export interface Difference {
  object: string;
  verdict: 'leftover' | 'missing' | 'changed' | 'replaced';
  before?: unknown;
  after?: unknown;
}

/**
 * Every difference between two snapshots. `replaced`: same content, another uid —
 * for a ReplicaSet this is the cheap sign of a rollback that was not exact.
 */
export const compareSnapshots = (
  before: NamespaceSnapshot,
  after: NamespaceSnapshot,
): Difference[] => {
  const differences: Difference[] = [];
  for (const [object, value] of before.objects) {
    const now = after.objects.get(object);
    if (now === undefined) differences.push({ object, verdict: 'missing', before: value });
    else if (before.uids.get(object) !== after.uids.get(object)) {
      differences.push({ object, verdict: 'replaced', before: value, after: now });
    } else if (!isDeepStrictEqual(value, now)) {
      differences.push({ object, verdict: 'changed', before: value, after: now });
    }
  }
  for (const [object, value] of after.objects) {
    if (!before.objects.has(object))
      differences.push({ object, verdict: 'leftover', after: value });
  }
  return differences;
};
