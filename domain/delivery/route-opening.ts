import { copyJson, equalJson, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { backendFor, backendsOf, rulesOf, weightOf, type BackendPair } from './route-backends.ts';

/** Rules whose backends cannot be shared between two Services without changing what they mean. */
const isShared = (route: KubernetesObject, rule: JsonRecord, service: string): boolean =>
  backendsOf(rule).length > 1 && backendFor(route, rule, service) !== undefined;

/** The Service that a rule sends everything to, with the Service of the candidate beside it. */
export const pairOf = (
  route: KubernetesObject,
  rule: JsonRecord,
  pairs: readonly BackendPair[],
): { backend: JsonRecord; pair: BackendPair } | undefined => {
  const [backend, ...others] = backendsOf(rule);
  const pair = pairs.find(({ stable }) => backendFor(route, rule, stable) !== undefined);
  const serves = backend !== undefined && others.length === 0 && weightOf(backend) > 0;
  return serves && pair !== undefined ? { backend, pair } : undefined;
};

export interface RouteOpening {
  /** The route with every rule of ours shared between stable (100) and candidate (0). */
  target: KubernetesObject;
  /** Why the route cannot be opened; empty where it can. */
  problems: string[];
}

/** Prepares a route for weights; who is served does not change by it. */
export const openedRoute = (
  route: KubernetesObject,
  pairs: readonly BackendPair[],
): RouteOpening => {
  const target = copyJson(route);
  const problems: string[] = [];
  let opened = 0;
  for (const rule of rulesOf(target)) {
    const shared = pairs.find(({ stable }) => isShared(target, rule, stable));
    if (shared !== undefined) {
      problems.push(`a rule shares its traffic between Service/${shared.stable} and others`);
    }
    const found = pairOf(target, rule, pairs);
    if (found === undefined) continue;
    const { backend, pair } = found;
    rule['backendRefs'] = [
      { ...backend, weight: 100 },
      { ...copyJson(backend), name: pair.candidate, weight: 0 },
    ];
    opened += 1;
  }
  if (opened === 0 && problems.length === 0) {
    const names = pairs.map(({ stable }) => `Service/${stable}`).join(', ');
    problems.push(
      `no rule sends its traffic to ${names === '' ? 'a Service of the release' : names}`,
    );
  }
  return { target, problems };
};

const withoutBackends = (rule: JsonRecord | undefined): JsonRecord => {
  const { backendRefs: _, ...rest } = rule ?? {};
  return rest;
};

/** The backend as it was in the rule that looks like this one; rules have no names to go by. */
const backendBefore = (
  place: { rule: JsonRecord; index: number },
  original: KubernetesObject,
  stable: string,
): JsonRecord | undefined => {
  const rules = rulesOf(original);
  const find = (rule: JsonRecord | undefined): JsonRecord | undefined =>
    backendFor(original, rule ?? {}, stable);
  const alike = rules.filter((rule) =>
    equalJson(withoutBackends(rule), withoutBackends(place.rule)),
  );
  const same = alike.includes(rules[place.index] ?? {}) ? rules[place.index] : alike[0];
  return find(same) ?? find(rules[place.index]) ?? find(rules.find((rule) => find(rule)));
};

/** Weights of the pair are ours as long as they share 100; a backend left alone must serve. */
const isOurWeight = (stable: JsonRecord, candidate: JsonRecord): boolean =>
  weightOf(stable) === 0 || weightOf(stable) + weightOf(candidate) === 100;

/**
 * Takes the candidate out of every rule, wherever the rules are by now, and gives the user's own
 * backend the weight it had. Nothing may name the candidate when its Service is deleted, so that
 * the candidate's backend goes whatever was done to it; all other edits of others stay.
 */
export const closedRoute = (
  live: KubernetesObject,
  original: KubernetesObject,
  pairs: readonly BackendPair[],
): KubernetesObject => {
  const copy = copyJson(live);
  for (const [index, rule] of rulesOf(copy).entries()) {
    for (const pair of pairs) {
      const candidate = backendFor(copy, rule, pair.candidate);
      if (candidate === undefined) continue;
      rule['backendRefs'] = backendsOf(rule).filter((backend) => backend !== candidate);
      const stable = backendFor(copy, rule, pair.stable);
      if (stable === undefined || !isOurWeight(stable, candidate)) continue;
      const before = backendBefore({ rule, index }, original, pair.stable);
      if (before?.['weight'] === undefined) Reflect.deleteProperty(stable, 'weight');
      else stable['weight'] = before['weight'];
    }
  }
  return copy;
};
