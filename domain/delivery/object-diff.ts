import { equalJson, isRecord } from './canonical-json.ts';
import type { JsonPath } from './json-pointer.ts';
import { alignedByIndex, listFieldOf } from './list-identity.ts';

/** One field that differs; `undefined` stands for absent. */
export interface FieldChange {
  path: JsonPath;
  before: unknown;
  after: unknown;
}

const keysOf = (...records: Record<string, unknown>[]): string[] =>
  [...new Set(records.flatMap((record) => Object.keys(record)))].sort();

/**
 * The smallest set of fields that lead from one value to the other. Members of maps are
 * compared one by one; list elements only where both lists hold the same elements at the
 * same positions, otherwise the list is one field.
 */
export const diffValues = (before: unknown, after: unknown, path: JsonPath = []): FieldChange[] => {
  if (equalJson(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    return keysOf(before, after).flatMap((key) =>
      diffValues(before[key], after[key], [...path, key]),
    );
  }
  const bothLists = Array.isArray(before) && Array.isArray(after);
  if (bothLists && alignedByIndex(listFieldOf(path), before, after)) {
    return before.flatMap((item, index) => diffValues(item, after[index], [...path, index]));
  }
  return [{ path, before, after }];
};
