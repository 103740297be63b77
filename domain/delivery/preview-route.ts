import { copyJson, isRecord, listAt, stringAt, type JsonRecord } from './canonical-json.ts';
import { suffixed } from './candidate-objects.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { rulesOf, type BackendPair } from './route-backends.ts';
import { pairOf } from './route-opening.ts';

/** Request header that pins requests to the candidate. */
export interface PreviewHeader {
  name: string;
  value: string;
}

export interface PreviewRoute {
  route: KubernetesObject;
  /** Why requests cannot be pinned; empty where they can. */
  problems: string[];
}

const isSameName = (match: unknown, name: string): boolean =>
  stringAt(match, 'name')?.toLowerCase() === name.toLowerCase();

const pinned = (match: JsonRecord, header: PreviewHeader): JsonRecord => ({
  ...match,
  headers: [...listAt(match, 'headers'), { type: 'Exact', ...header }],
});

/** A rule without matches takes everything, and so does an empty match. */
const matchesOf = (rule: JsonRecord): JsonRecord[] => {
  const matches = listAt(rule, 'matches').filter(isRecord);
  return matches.length === 0 ? [{}] : matches;
};

/**
 * A route beside the user's own with the same parents, hosts and rules and one header match more,
 * to the candidate. The Gateway API lets the rule with more header matches win where path and
 * method are equal, so that it takes the requests with the header and no others. The user's route
 * is not touched.
 */
export const previewRoute = (
  route: KubernetesObject,
  pairs: readonly BackendPair[],
  { header, suffix }: { header: PreviewHeader; suffix: string },
): PreviewRoute => {
  const problems: string[] = [];
  const rules = rulesOf(route).flatMap((rule): JsonRecord[] => {
    const found = pairOf(route, rule, pairs);
    if (found === undefined) return [];
    const matches = matchesOf(rule);
    if (matches.some((match) => listAt(match, 'headers').some((of) => isSameName(of, header.name))))
      problems.push(`a rule decides by the header ${header.name} already`);
    const { name: _, ...rest } = copyJson(rule);
    const { weight: _weight, ...backend } = copyJson(found.backend);
    return [
      {
        ...rest,
        matches: matches.map((match) => pinned(copyJson(match), header)),
        backendRefs: [{ ...backend, name: found.pair.candidate }],
      },
    ];
  });
  const { apiVersion, kind, metadata } = route;
  const spec = { ...copyJson(route['spec'] as JsonRecord), rules };
  return {
    route: { apiVersion, kind, metadata: { name: suffixed(metadata.name, suffix) }, spec },
    problems,
  };
};
