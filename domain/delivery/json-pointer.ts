import { isRecord } from './canonical-json.ts';

/** Steps from the root of a document: member names and list indexes. */
export type JsonPath = readonly (string | number)[];

/** RFC 6901 text of a path, e.g. `/metadata/annotations/holdfast.dev~1fence`. */
export const pointerOf = (path: JsonPath): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const pathOf = (pointer: string): string[] =>
  pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

const isListIndex = (step: string): boolean => /^(0|[1-9]\d*)$/.test(step);

const childOf = (parent: unknown, step: string): unknown => {
  if (Array.isArray(parent))
    return isListIndex(step) ? (parent[Number(step)] as unknown) : undefined;
  return isRecord(parent) && Object.hasOwn(parent, step) ? parent[step] : undefined;
};

/** The value at a path; undefined when anything on the way is absent. */
export const valueAt = (document: unknown, path: JsonPath): unknown => {
  let current = document;
  for (const step of path) current = childOf(current, String(step));
  return current;
};
