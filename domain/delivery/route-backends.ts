import { isRecord, listAt, numberAt, stringAt, type JsonRecord } from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';

/** Two Services that share the traffic of a rule: the user's own, and the candidate's. */
export interface BackendPair {
  stable: string;
  candidate: string;
}

/** Does a backend of a route in this namespace mean the Service of that name beside it? */
const isBackend = (backend: JsonRecord, service: string, namespace: string | undefined): boolean =>
  backend['name'] === service &&
  (stringAt(backend, 'kind') ?? 'Service') === 'Service' &&
  (stringAt(backend, 'group') ?? '') === '' &&
  (backend['namespace'] === undefined || backend['namespace'] === namespace);

export const rulesOf = (route: KubernetesObject): JsonRecord[] =>
  listAt(route, 'spec', 'rules').filter(isRecord);

export const backendsOf = (rule: JsonRecord): JsonRecord[] =>
  listAt(rule, 'backendRefs').filter(isRecord);

/** Of a backend without a weight the Gateway API takes 1. */
export const weightOf = (backend: JsonRecord): number => numberAt(backend, 'weight') ?? 1;

/** The backend of a rule that means this Service. */
export const backendFor = (
  route: KubernetesObject,
  rule: JsonRecord,
  service: string,
): JsonRecord | undefined =>
  backendsOf(rule).find((backend) => isBackend(backend, service, route.metadata.namespace));

/** Rules that name a candidate, whatever else is in them. */
export const openRulesIn = (route: KubernetesObject, pairs: readonly BackendPair[]): JsonRecord[] =>
  rulesOf(route).filter((rule) =>
    pairs.some((pair) => backendFor(route, rule, pair.candidate) !== undefined),
  );
