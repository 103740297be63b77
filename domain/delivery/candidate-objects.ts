import {
  copyJson,
  isRecord,
  listAt,
  numberAt,
  recordAt,
  type JsonRecord,
} from './canonical-json.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { withoutOwner } from './object-owner.ts';

/** A name of a Service, and the value of a label, ends at 63 characters. */
const longestName = 63;

export const suffixed = (name: string, suffix: string): string =>
  `${name.slice(0, longestName - suffix.length - 1)}-${suffix}`;

/** The label by which the pods of the candidate are told from those of the stable workload. */
export interface IdentityLabel {
  key: string;
  /** Undefined where only the candidate has the label. */
  stable: string | undefined;
  candidate: string;
}

const preferredKeys = ['app.kubernetes.io/name', 'app'];

/**
 * A label that the workload selects its pods by, and every Service that routes to it too: by
 * another value of it, neither the Services nor the autoscaler of the stable workload see the
 * pods of the candidate. Undefined where there is none.
 */
export const identityLabel = (
  workload: KubernetesObject,
  services: readonly KubernetesObject[],
  suffix: string,
): IdentityLabel | undefined => {
  const labels = recordAt(workload, 'spec', 'selector', 'matchLabels');
  const common = Object.keys(labels).filter((key) =>
    services.every((service) => Object.hasOwn(recordAt(service, 'spec', 'selector'), key)),
  );
  const key = preferredKeys.find((preferred) => common.includes(preferred)) ?? common[0];
  const stable = key === undefined ? undefined : labels[key];
  if (key === undefined || typeof stable !== 'string') return undefined;
  return { key, stable, candidate: suffixed(stable, suffix) };
};

/** Gives the label its other value wherever it stands with the old one, or adds it. */
const relabel = (labels: unknown, { key, stable, candidate }: IdentityLabel): void => {
  if (isRecord(labels) && labels[key] === stable) labels[key] = candidate;
};

/** Every label selector of a pod spec: affinity and spreading are about pods of the own kind. */
const relabelSelectors = (value: unknown, identity: IdentityLabel): void => {
  // What is added tells the candidate from the stable pods only; selectors mean both.
  if (identity.stable === undefined) return;
  if (Array.isArray(value)) value.forEach((item) => relabelSelectors(item, identity));
  if (!isRecord(value)) return;
  relabel(recordAt(value, 'labelSelector')['matchLabels'], identity);
  Object.values(value).forEach((item) => relabelSelectors(item, identity));
};

export interface CandidateNaming {
  suffix: string;
  identity: IdentityLabel;
}

/** A new object after the user's one, without what others recorded on that. */
const copyOf = (
  object: KubernetesObject,
  { suffix, identity }: CandidateNaming,
): KubernetesObject => {
  const { labels } = withoutOwner(copyJson(object)).metadata;
  relabel(labels, identity);
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name: suffixed(object.metadata.name, suffix),
      ...(labels === undefined || Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: copyJson(recordAt(object, 'spec')),
  };
};

/** The new version of the workload, told apart from the stable one by its label. */
export const candidateWorkload = (
  workload: KubernetesObject,
  naming: CandidateNaming,
  replicas: number,
): KubernetesObject => {
  const { identity } = naming;
  const copy = copyOf(workload, naming);
  const spec = recordAt(copy, 'spec');
  spec['replicas'] = replicas;
  Reflect.deleteProperty(spec, 'paused');
  const selector = recordAt(spec, 'selector');
  selector['matchLabels'] = { ...recordAt(selector, 'matchLabels') };
  relabel(selector['matchLabels'], identity);
  const template = recordAt(spec, 'template');
  relabel(recordAt(template, 'metadata')['labels'], identity);
  relabelSelectors(recordAt(template, 'spec')['affinity'], identity);
  relabelSelectors(recordAt(template, 'spec')['topologySpreadConstraints'], identity);
  return copy;
};

/** Fields of a Service that say how it routes inside the cluster; addresses are given out anew. */
const routingFields = [
  'sessionAffinity',
  'sessionAffinityConfig',
  'internalTrafficPolicy',
  'ipFamilies',
  'ipFamilyPolicy',
  'publishNotReadyAddresses',
  'trafficDistribution',
];

const portFields = ['name', 'protocol', 'appProtocol', 'port', 'targetPort'];

const only = (record: JsonRecord, fields: readonly string[]): JsonRecord =>
  Object.fromEntries(
    fields.filter((field) => record[field] !== undefined).map((field) => [field, record[field]]),
  );

/** A Service inside the cluster that routes to the candidate only. */
export const previewService = (
  service: KubernetesObject,
  naming: CandidateNaming,
): KubernetesObject => {
  const spec = recordAt(service, 'spec');
  const selector = { ...recordAt(spec, 'selector') };
  relabel(selector, naming.identity);
  const ports = listAt(spec, 'ports').filter(isRecord);
  return {
    ...copyOf(service, naming),
    spec: {
      type: 'ClusterIP',
      selector,
      ports: copyJson(ports.map((port) => only(port, portFields))),
      ...copyJson(only(spec, routingFields)),
    },
  };
};

/** The same budget for the pods of the candidate. */
export const budgetCopy = (budget: KubernetesObject, naming: CandidateNaming): KubernetesObject => {
  const copy = copyOf(budget, naming);
  relabel(recordAt(copy, 'spec', 'selector')['matchLabels'], naming.identity);
  return copy;
};

/**
 * An autoscaler never takes pods away while the traffic moves: who has little traffic now may
 * have all of it in a moment.
 */
export const frozenAutoscaler = (autoscaler: KubernetesObject): KubernetesObject => {
  const copy = copyJson(autoscaler);
  const spec = recordAt(copy, 'spec');
  const behavior = recordAt(spec, 'behavior');
  const scaleDown = { ...recordAt(behavior, 'scaleDown'), selectPolicy: 'Disabled' };
  spec['behavior'] = { ...behavior, scaleDown };
  return copy;
};

/** An autoscaler for the candidate that starts from the number of pods it was given. */
export const autoscalerCopy = (
  autoscaler: KubernetesObject,
  naming: CandidateNaming,
  target: { workload: string; leastReplicas: number },
): KubernetesObject => {
  const copy = frozenAutoscaler(copyOf(autoscaler, naming));
  const spec = recordAt(copy, 'spec');
  recordAt(spec, 'scaleTargetRef')['name'] = target.workload;
  spec['minReplicas'] = target.leastReplicas;
  spec['maxReplicas'] = Math.max(numberAt(spec, 'maxReplicas') ?? 1, target.leastReplicas);
  return copy;
};
