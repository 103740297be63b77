import { equalJson, isRecord } from './canonical-json.ts';
import { pointerOf, type JsonPath } from './json-pointer.ts';
import { alignedByIndex, identitiesOf, listFieldOf } from './list-identity.ts';

/** A change from one value to another, to be carried over to a third that others may have edited. */
export interface Rebase {
  from: unknown;
  to: unknown;
  live: unknown;
}

export interface Rebased {
  /** What the live value must become. */
  target: unknown;
  /** JSON pointers of fields that are neither `from` nor `to`: someone else's; kept as they are. */
  conflicts: string[];
}

const rebaseRecords = (
  input: {
    from: Record<string, unknown>;
    to: Record<string, unknown>;
    live: Record<string, unknown>;
  },
  path: JsonPath,
): Rebased => {
  const { from, to, live } = input;
  const keys = [...new Set([...Object.keys(live), ...Object.keys(to), ...Object.keys(from)])];
  const target: Record<string, unknown> = {};
  const conflicts: string[] = [];
  for (const key of keys) {
    const child = rebase({ from: from[key], to: to[key], live: live[key] }, [...path, key]);
    if (child.target !== undefined) target[key] = child.target;
    conflicts.push(...child.conflicts);
  }
  return { target, conflicts };
};

const rebaseAligned = (
  input: { from: unknown[]; to: unknown[]; live: unknown[] },
  path: JsonPath,
): Rebased => {
  const children = input.live.map((live, index) =>
    rebase({ from: input.from[index], to: input.to[index], live }, [...path, index]),
  );
  return {
    target: children.map((child) => child.target),
    conflicts: children.flatMap((child) => child.conflicts),
  };
};

/** Order of the wanted list where it holds the same elements, else the live order with new ones last. */
const orderOf = (kept: string[], to: string[], live: string[]): string[] => {
  const wanted = new Set(kept);
  if (to.length === kept.length && to.every((name) => wanted.has(name))) return to;
  return [
    ...live.filter((name) => wanted.has(name)),
    ...kept.filter((name) => !live.includes(name)),
  ];
};

/** An element goes or stays as a whole: the fields of somebody's edit alone would have no name. */
const rebaseElement = (sides: Rebase, path: JsonPath): Rebased => {
  const { from, to, live } = sides;
  const isEditedByOthers = live !== undefined && !equalJson(live, from);
  return to === undefined && isEditedByOthers
    ? { target: live, conflicts: from === undefined ? [] : [pointerOf(path)] }
    : rebase(sides, path);
};

const rebaseByIdentity = (
  input: { from: unknown[]; to: unknown[]; live: unknown[] },
  names: { from: string[]; to: string[]; live: string[] },
  path: JsonPath,
): Rebased => {
  const pick = (side: 'from' | 'to' | 'live', name: string): unknown =>
    input[side][names[side].indexOf(name)];
  const targets = new Map<string, unknown>();
  const conflicts: string[] = [];
  for (const name of new Set([...names.live, ...names.to, ...names.from])) {
    const sides = { from: pick('from', name), to: pick('to', name), live: pick('live', name) };
    const position = names.live.indexOf(name);
    const child = rebaseElement(sides, [...path, position < 0 ? name : position]);
    if (child.target !== undefined) targets.set(name, child.target);
    conflicts.push(...child.conflicts);
  }
  const order = orderOf([...targets.keys()], names.to, names.live);
  return { target: order.map((name) => targets.get(name)), conflicts };
};

const rebaseLists = (
  input: { from: unknown[]; to: unknown[]; live: unknown[] },
  path: JsonPath,
): Rebased => {
  const { from, to, live } = input;
  const field = listFieldOf(path);
  if (alignedByIndex(field, from, live) && alignedByIndex(field, to, live)) {
    return rebaseAligned(input, path);
  }
  const names = {
    from: identitiesOf(field, from),
    to: identitiesOf(field, to),
    live: identitiesOf(field, live),
  };
  if (names.from !== undefined && names.to !== undefined && names.live !== undefined) {
    return rebaseByIdentity(input, { from: names.from, to: names.to, live: names.live }, path);
  }
  return { target: live, conflicts: [pointerOf(path)] };
};

/** An absent map next to a map is an empty one, so that edits inside it are told apart. */
const asRecord = (value: unknown, others: unknown[]): Record<string, unknown> | undefined => {
  if (isRecord(value)) return value;
  return value === undefined && others.every((other) => other === undefined || isRecord(other))
    ? {}
    : undefined;
};

const dropEmptied = (rebased: Rebased, to: unknown): Rebased =>
  to === undefined && isRecord(rebased.target) && Object.keys(rebased.target).length === 0
    ? { ...rebased, target: undefined }
    : rebased;

const rebaseMaps = ({ from, to, live }: Rebase, path: JsonPath): Rebased | undefined => {
  const older = asRecord(from, [to, live]);
  const wanted = asRecord(to, [from, live]);
  if (older === undefined || wanted === undefined || !isRecord(live)) return undefined;
  return dropEmptied(rebaseRecords({ from: older, to: wanted, live }, path), to);
};

/**
 * Exact or flagged: a field that is still `from` becomes `to`; one that already is `to`, or
 * that the change does not touch, stays; any other was edited by someone else, stays, and
 * is listed.
 */
export function rebase(input: Rebase, path: JsonPath = []): Rebased {
  const { from, to, live } = input;
  if (equalJson(live, to) || equalJson(live, from)) return { target: to, conflicts: [] };
  if (equalJson(from, to)) return { target: live, conflicts: [] };
  if (Array.isArray(from) && Array.isArray(to) && Array.isArray(live)) {
    return rebaseLists({ from, to, live }, path);
  }
  return rebaseMaps(input, path) ?? { target: live, conflicts: [pointerOf(path)] };
}
