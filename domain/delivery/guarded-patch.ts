import { isRecord } from './canonical-json.ts';
import { pointerOf, valueAt, type JsonPath } from './json-pointer.ts';
import type { PatchOperation } from './json-patch.ts';
import { annotations, type KubernetesObject } from './kubernetes-object.ts';
import { identityMembers, listFieldOf } from './list-identity.ts';
import { diffValues, type FieldChange } from './object-diff.ts';

const annotationsPath: JsonPath = ['metadata', 'annotations'];

const testOf = (path: JsonPath, value: unknown): PatchOperation => ({
  op: 'test',
  path: pointerOf(path),
  value: value ?? null,
});

/** Each list element on the way must still be the one we mean. */
const identityTests = (live: unknown, path: JsonPath): PatchOperation[] =>
  path.flatMap((step, depth) => {
    if (typeof step !== 'number') return [];
    const element = path.slice(0, depth + 1);
    const listField = listFieldOf(path.slice(0, depth));
    return identityMembers(listField, valueAt(live, element)).map(({ field, value }) =>
      testOf([...element, field], value),
    );
  });

const changeOf = ({ path, before, after }: FieldChange): PatchOperation => {
  const pointer = pointerOf(path);
  if (after === undefined) return { op: 'remove', path: pointer };
  return { op: before === undefined ? 'add' : 'replace', path: pointer, value: after };
};

const replacesWholeList = ({ before, after }: FieldChange): boolean =>
  Array.isArray(before) && Array.isArray(after);

const uniqueTests = (operations: PatchOperation[]): PatchOperation[] => {
  const seen = new Set<string>();
  return operations.filter((operation) => {
    if (operation.op !== 'test' || !seen.has(operation.path)) {
      if (operation.op === 'test') seen.add(operation.path);
      return true;
    }
    return false;
  });
};

/**
 * The patch that leads from the live object to the target and can do nothing else: it tests
 * the uid, the fence as it was read, and the old value of everything it changes. Where a whole
 * list is replaced it also tests the resourceVersion, because an element someone added to a
 * list of the same text would otherwise be lost.
 */
export const guardedPatch = (
  live: KubernetesObject,
  target: KubernetesObject,
): PatchOperation[] => {
  const changes = diffValues(
    { ...live, metadata: { ...live.metadata } },
    { ...target, metadata: { ...target.metadata } },
  );
  if (changes.length === 0) return [];
  const liveAnnotations = live.metadata.annotations;
  const fenceTest = isRecord(liveAnnotations)
    ? testOf([...annotationsPath, annotations.fence], liveAnnotations[annotations.fence])
    : testOf(annotationsPath, null);
  const versionTest = changes.some(replacesWholeList)
    ? [testOf(['metadata', 'resourceVersion'], live.metadata.resourceVersion)]
    : [];
  const tests = changes.flatMap((change) => [
    ...identityTests(live, change.path),
    testOf(change.path, change.before),
  ]);
  const guards = [
    testOf(['metadata', 'uid'], live.metadata.uid),
    fenceTest,
    ...versionTest,
    ...tests,
  ];
  return [...uniqueTests(guards), ...changes.map(changeOf)];
};
