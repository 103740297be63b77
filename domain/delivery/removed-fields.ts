import { copyJson, isRecord, stringAt } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { identityOf } from './list-identity.ts';

interface Sides {
  /** What the last recorded manifest had. */
  previous: unknown;
  /** What the new manifest has. */
  next: unknown;
}

const withoutRemovedMembers = (target: Record<string, unknown>, sides: Sides): unknown => {
  const { previous, next } = sides;
  if (!isRecord(previous) || !isRecord(next)) return target;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(target)) {
    const droppedByUs = Object.hasOwn(previous, key) && !Object.hasOwn(next, key);
    if (droppedByUs) continue;
    result[key] = withoutRemoved(value, { previous: previous[key], next: next[key] }, key);
  }
  return result;
};

const withoutRemovedElements = (target: unknown[], sides: Sides, field: string): unknown => {
  const { previous, next } = sides;
  if (!Array.isArray(previous) || !Array.isArray(next)) return target;
  const find = (list: unknown[], name: string | undefined): unknown =>
    name === undefined ? undefined : list.find((item) => identityOf(field, item) === name);
  return target.flatMap((item) => {
    const name = identityOf(field, item);
    const before = find(previous, name);
    const after = find(next, name);
    if (before !== undefined && after === undefined) return [];
    return [withoutRemoved(item, { previous: before, next: after }, field)];
  });
};

function withoutRemoved<T>(target: T, sides: Sides, field = ''): T {
  if (isRecord(target)) return withoutRemovedMembers(target, sides) as T;
  if (Array.isArray(target)) return withoutRemovedElements(target, sides, field) as T;
  return copyJson(target);
}

/** What a recorded manifest says about fields; where it was and how far it was scaled is left out. */
const fieldsOf = (manifest: KubernetesObject): KubernetesObject => {
  const copy = copyJson(manifest);
  Reflect.deleteProperty(copy.metadata, 'namespace');
  Reflect.deleteProperty(copy, 'status');
  // A number of replicas that is no longer written must stay as it is, not fall to the default 1.
  if (isRecord(copy['spec'])) Reflect.deleteProperty(copy['spec'], 'replicas');
  return copy;
};

/**
 * The target without what the last recorded manifest had and the new one has not. What neither
 * manifest mentions belongs to someone else and stays.
 */
export const withoutRemovedFields = (
  target: KubernetesObject,
  sides: { previous: KubernetesObject; next: KubernetesObject },
): KubernetesObject =>
  withoutRemoved(target, { previous: fieldsOf(sides.previous), next: fieldsOf(sides.next) });

const lastAppliedName = 'kubectl.kubernetes.io/last-applied-configuration';

/** The text of the manifest that `kubectl apply` recorded on the object, if it ever did. */
export const lastAppliedText = (live: KubernetesObject): string | undefined =>
  stringAt(live.metadata.annotations, lastAppliedName);
