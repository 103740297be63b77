import { copyJson, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { fenceOf, withAnnotations } from './object-fence.ts';
import { fencedReason, type WriteAuthority } from './object-writes.ts';
import {
  backendFor,
  backendsOf,
  openRulesIn,
  rulesOf,
  weightOf,
  type BackendPair,
} from './route-backends.ts';

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

export interface WantedWeight {
  pairs: readonly BackendPair[];
  /** Rules that the plan opened. */
  opened: number;
  weightPercent: number;
  /** The candidate keeps a smaller share that it has. */
  onlyLess?: boolean | undefined;
}

const pairIn = (
  route: KubernetesObject,
  rule: JsonRecord,
  pairs: readonly BackendPair[],
): OpenRule | undefined => {
  for (const pair of pairs) {
    const stable = backendFor(route, rule, pair.stable);
    const candidate = backendFor(route, rule, pair.candidate);
    if (stable !== undefined && candidate !== undefined) return { stable, candidate };
  }
  return undefined;
};

const changedBySomeone = (
  route: KubernetesObject,
  { pairs, opened }: WantedWeight,
): string | undefined => {
  const rules = openRulesIn(route, pairs);
  if (rules.length !== opened) {
    return `${String(opened)} rules were opened for the candidate, ${String(rules.length)} name it now`;
  }
  for (const rule of rules) {
    const pair = pairIn(route, rule, pairs);
    if (pair === undefined || backendsOf(rule).length !== 2) {
      return 'someone else changed the backends of a rule that was opened';
    }
    const sum = weightOf(pair.stable) + weightOf(pair.candidate);
    if (sum !== 100) return `someone else changed the weights, their sum is ${String(sum)}`;
  }
  return undefined;
};

const weightFor = ({ candidate }: OpenRule, { weightPercent, onlyLess }: WantedWeight): number =>
  onlyLess === true ? Math.min(weightPercent, weightOf(candidate)) : weightPercent;

const hasWeight = (pair: OpenRule | undefined, wanted: WantedWeight): boolean =>
  pair === undefined || weightOf(pair.candidate) === weightFor(pair, wanted);

const withWeights = (route: KubernetesObject, wanted: WantedWeight): KubernetesObject => {
  const copy = copyJson(route);
  for (const rule of rulesOf(copy)) {
    const pair = pairIn(copy, rule, wanted.pairs);
    if (pair === undefined) continue;
    const weightPercent = weightFor(pair, wanted);
    pair.stable['weight'] = 100 - weightPercent;
    pair.candidate['weight'] = weightPercent;
  }
  return copy;
};

/** What giving the candidate this share means for the route as it is now. */
export const decideWeight = (
  live: KubernetesObject,
  wanted: WantedWeight,
  authority: WriteAuthority,
): WeightDecision => {
  const { pairs } = wanted;
  const rules = openRulesIn(live, pairs);
  if (rules.length === 0) return { act: 'not-open' };
  const fenced = fencedReason(live, authority);
  if (fenced !== undefined) return { act: 'refuse', code: 'FENCED', reason: fenced };
  const reason = changedBySomeone(live, wanted);
  if (reason !== undefined) return { act: 'refuse', code: 'FOREIGN_CHANGE', reason };
  const changes = !rules.every((rule) => hasWeight(pairIn(live, rule, pairs), wanted));
  if (!changes && fenceOf(live) === authority.epoch) return { act: 'nothing' };
  const target = withWeights(live, wanted);
  return {
    act: 'patch',
    target: withAnnotations(target, { fence: String(authority.epoch) }),
    changes,
  };
};
