import { isDeepStrictEqual } from 'node:util';
import type { NamespaceSnapshot } from '../e2e/checker/namespace-snapshot.ts';

/** How a run ended, in a form that two namespaces can share. */
export interface Ending {
  outcome: string;
  objects: Record<string, unknown>;
}

const perNamespace = new Set([
  'uid',
  'creationTimestamp',
  'namespace',
  'clusterIP',
  'clusterIPs',
  'deletionTimestamp',
]);

/** Drops what must differ between two namespaces, and nothing else. */
const comparable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(comparable);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !perNamespace.has(key))
      .map(([key, inner]) => [key, comparable(inner)]),
  );
};

export const endingOf = (outcome: string, snapshot: NamespaceSnapshot): Ending => ({
  outcome,
  objects: Object.fromEntries(
    [...snapshot.objects].map(([name, object]) => [name, comparable(object)]),
  ),
});

/** Names what differs, with both sides, so that a failure can be read without a second run. */
export const differences = (calm: Ending, ending: Ending): string[] => {
  const names = new Set([...Object.keys(calm.objects), ...Object.keys(ending.objects)]);
  const outcome = calm.outcome === ending.outcome ? [] : [`the outcome is ${ending.outcome}`];
  const objects = [...names]
    .filter((name) => !isDeepStrictEqual(calm.objects[name], ending.objects[name]))
    .map((name) => {
      const [expected, seen] = [calm.objects[name], ending.objects[name]];
      return `${name} is ${JSON.stringify(seen)} and not ${JSON.stringify(expected)}`;
    });
  return [...outcome, ...objects];
};
