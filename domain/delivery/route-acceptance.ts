import { isRecord, listAt, numberAt, stringAt, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

export interface RouteAcceptance {
  accepted: boolean;
  /** One line for each condition that is missing, with the words of the gateway. */
  missing: string[];
}

/** What a gateway must say of the generation that was written before it counts as taken. */
const neededConditions = ['Accepted', 'ResolvedRefs'] as const;

const nameOf = (parent: JsonRecord): string =>
  `${stringAt(parent, 'parentRef', 'kind') ?? 'Gateway'}/${stringAt(parent, 'parentRef', 'name') ?? ''}`;

const missingIn = (parent: JsonRecord, generation: number): string[] =>
  neededConditions.flatMap((type) => {
    const condition = listAt(parent, 'conditions')
      .filter(isRecord)
      .find((candidate) => candidate['type'] === type);
    const seen = numberAt(condition, 'observedGeneration') ?? 0;
    const subject = `${nameOf(parent)}: ${type}`;
    if (condition === undefined) return [`${subject} is not reported`];
    if (seen < generation) {
      return [`${subject} speaks of generation ${String(seen)}, not of ${String(generation)}`];
    }
    if (condition['status'] === 'True') return [];
    const words = [stringAt(condition, 'reason'), stringAt(condition, 'message')].filter(Boolean);
    return [`${subject} is ${stringAt(condition, 'status') ?? 'Unknown'} (${words.join(': ')})`];
  });

/**
 * Has every parent of the route taken this generation? A status that speaks of an older one says
 * nothing; a route without any parent status is served by nobody.
 */
export const routeAcceptance = (route: KubernetesObject, generation: number): RouteAcceptance => {
  const parents = listAt(route, 'status', 'parents').filter(isRecord);
  const missing =
    parents.length === 0
      ? ['no gateway reports on the route']
      : parents.flatMap((parent) => missingIn(parent, generation));
  return { accepted: missing.length === 0, missing };
};
