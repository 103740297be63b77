import { equalJson } from './canonical-json.ts';
import { pathOf, pointerOf, valueAt } from './json-pointer.ts';
import { PatchRefused, applyPatch } from './json-patch.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { guardedPatch } from './guarded-patch.ts';
import { normalised, withLiveBookkeeping, type ComparisonScope } from './normalised-object.ts';
import { rebase } from './three-way.ts';

interface OneWayField {
  kind: string;
  pointer: string;
  reason: string;
  isOneWay: (before: unknown, after: unknown) => boolean;
}

const becomesTrue = (before: unknown, after: unknown): boolean => before !== true && after === true;

/** Changes that the API server accepts, but not back. */
const oneWayFields: readonly OneWayField[] = [
  {
    kind: 'ConfigMap',
    pointer: '/immutable',
    reason: 'an immutable ConfigMap can never be made mutable again',
    isOneWay: becomesTrue,
  },
  {
    kind: 'Secret',
    pointer: '/immutable',
    reason: 'an immutable Secret can never be made mutable again',
    isOneWay: becomesTrue,
  },
  {
    kind: 'Service',
    pointer: '/spec/clusterIP',
    reason: 'the address is given to others once it is released',
    isOneWay: (before, after) => before !== undefined && !equalJson(before, after),
  },
];

export interface OneWayChange {
  pointer: string;
  reason: string;
}

/** Fields of a planned change that could not be put back. */
export const oneWayChanges = (before: KubernetesObject, after: KubernetesObject): OneWayChange[] =>
  oneWayFields
    .filter(({ kind }) => kind === before.kind)
    .filter(({ pointer, isOneWay }) =>
      isOneWay(valueAt(before, pathOf(pointer)), valueAt(after, pathOf(pointer))),
    )
    .map(({ pointer, reason }) => ({ pointer, reason }));

/**
 * Rehearses the way back on paper: from the object as it will be, the inverse must lead to
 * exactly the object as it is. Answers the pointers where it does not.
 */
export const rehearseInverse = (
  before: KubernetesObject,
  predicted: KubernetesObject,
  scope: ComparisonScope,
): string[] => {
  const from = normalised(predicted, scope);
  const to = normalised(before, scope);
  const { target, conflicts } = rebase({ from, to, live: from });
  if (conflicts.length > 0) return conflicts;
  const inverse = guardedPatch(
    predicted,
    withLiveBookkeeping(target as KubernetesObject, predicted),
  );
  try {
    const back = applyPatch(predicted, inverse);
    return equalJson(normalised(back, scope), to) ? [] : [pointerOf([])];
  } catch (error) {
    if (error instanceof PatchRefused) return [error.operation.path];
    throw error;
  }
};
