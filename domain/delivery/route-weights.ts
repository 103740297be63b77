import {
  copyJson,
  isRecord,
  listAt,
  numberAt,
  stringAt,
  type JsonRecord,
} from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { fenceOf, withAnnotations } from './object-fence.ts';
import { fencedReason, type WriteAuthority } from './object-writes.ts';

/** Two Services that share the traffic of a rule: the user's own, and the candidate's. */
export interface BackendPair {
  stable: string;
  candidate: string;
}

/** A rule that was opened for the candidate, with both of its backends. */
interface OpenRule {
  stable: JsonRecord;
  candidate: JsonRecord;
}

export type WeightDecision =
  | { act: 'patch'; target: KubernetesObject; changes: boolean }
  | { act: 'nothing' }
  | { act: 'not-open' }
  | { act: 'refuse'; code: 'FENCED' | 'FOREIGN_CHANGE'; reason: string };

/** Does a backend mean this Service of the route's own namespace? */
export const isBackend = (backend: unknown, service: string): boolean =>
  isRecord(backend) &&
  backend['name'] === service &&
  (stringAt(backend, 'kind') ?? 'Service') === 'Service' &&
  (stringAt(backend, 'group') ?? '') === '' &&
  backend['namespace'] === undefined;

export const rulesOf = (route: KubernetesObject): JsonRecord[] =>
  listAt(route, 'spec', 'rules').filter(isRecord);

export const backendsOf = (rule: JsonRecord): JsonRecord[] =>
  listAt(rule, 'backendRefs').filter(isRecord);

/** Of a backend without a weight the Gateway API takes 1. */
export const weightOf = (backend: JsonRecord): number => numberAt(backend, 'weight') ?? 1;

const pairIn = (rule: JsonRecord, pairs: readonly BackendPair[]): OpenRule | undefined => {
  const backends = backendsOf(rule);
  for (const pair of pairs) {
    const stable = backends.find((backend) => isBackend(backend, pair.stable));
    const candidate = backends.find((backend) => isBackend(backend, pair.candidate));
    if (stable !== undefined && candidate !== undefined) return { stable, candidate };
  }
  return undefined;
};

/** Does a rule send anything to a candidate, whatever else is in it? */
export const namesCandidate = (rule: JsonRecord, pairs: readonly BackendPair[]): boolean =>
  backendsOf(rule).some((backend) => pairs.some((pair) => isBackend(backend, pair.candidate)));

/** Rules that name a candidate. */
export const openRulesIn = (route: KubernetesObject, pairs: readonly BackendPair[]): JsonRecord[] =>
  rulesOf(route).filter((rule) => namesCandidate(rule, pairs));

const changedBySomeone = (
  rules: readonly JsonRecord[],
  pairs: readonly BackendPair[],
  opened: number,
): string | undefined => {
  if (rules.length !== opened) {
    return `${String(opened)} rules were opened for the candidate, ${String(rules.length)} name it now`;
  }
  for (const rule of rules) {
    const pair = pairIn(rule, pairs);
    if (pair === undefined || backendsOf(rule).length !== 2) {
      return 'someone else changed the backends of a rule that was opened';
    }
    const sum = weightOf(pair.stable) + weightOf(pair.candidate);
    if (sum !== 100) return `someone else changed the weights, their sum is ${String(sum)}`;
  }
  return undefined;
};

const hasWeight = (pair: OpenRule | undefined, weightPercent: number): boolean =>
  pair === undefined || weightOf(pair.candidate) === weightPercent;

const withWeights = (
  route: KubernetesObject,
  pairs: readonly BackendPair[],
  weightPercent: number,
): KubernetesObject => {
  const copy = copyJson(route);
  for (const rule of rulesOf(copy)) {
    const pair = pairIn(rule, pairs);
    if (pair === undefined) continue;
    pair.stable['weight'] = 100 - weightPercent;
    pair.candidate['weight'] = weightPercent;
  }
  return copy;
};

export interface WantedWeight {
  pairs: readonly BackendPair[];
  /** Rules that the plan opened. */
  opened: number;
  weightPercent: number;
}

/** What giving the candidate this share means for the route as it is now. */
export const decideWeight = (
  live: KubernetesObject,
  wanted: WantedWeight,
  authority: WriteAuthority,
): WeightDecision => {
  const { pairs, opened, weightPercent } = wanted;
  const rules = openRulesIn(live, pairs);
  if (rules.length === 0) return { act: 'not-open' };
  const fenced = fencedReason(live, authority);
  if (fenced !== undefined) return { act: 'refuse', code: 'FENCED', reason: fenced };
  const reason = changedBySomeone(rules, pairs, opened);
  if (reason !== undefined) return { act: 'refuse', code: 'FOREIGN_CHANGE', reason };
  const changes = !rules.every((rule) => hasWeight(pairIn(rule, pairs), weightPercent));
  if (!changes && fenceOf(live) === authority.epoch) return { act: 'nothing' };
  const target = withWeights(live, pairs, weightPercent);
  return {
    act: 'patch',
    target: withAnnotations(target, { fence: String(authority.epoch) }),
    changes,
  };
};
