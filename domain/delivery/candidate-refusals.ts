import { isRecord, listAt, recordAt, type JsonRecord } from './canonical-json.ts';
import type { IdentityLabel } from './candidate-objects.ts';
import type { KubernetesObject } from './kubernetes-object.ts';
import { matchesPlainSelector, matchesSelector } from './label-selector.ts';
import { describeObject } from './manifest-set.ts';

/** Why a candidate cannot be brought up beside the stable workload. */
export interface CandidateProblem {
  code: 'MANIFEST_INVALID' | 'INVALID_INPUT';
  /** `Kind/name`, or the field of the strategy. */
  subject: string;
  message: string;
}

export const invalid = (subject: string, message: string): CandidateProblem => ({
  code: 'MANIFEST_INVALID',
  subject,
  message,
});

/** The labels of the pods of both versions; they differ in the identity label only. */
export interface PodLabels {
  stable: JsonRecord;
  candidate: JsonRecord;
}

export const podLabelsOf = (workload: KubernetesObject): JsonRecord =>
  recordAt(workload, 'spec', 'template', 'metadata', 'labels');

const takes = (service: KubernetesObject, labels: JsonRecord): boolean =>
  matchesPlainSelector(recordAt(service, 'spec', 'selector'), labels);

/** Services that the release does not know, and that traffic takes all the same. */
export const unknownServices = (
  services: readonly KubernetesObject[],
  labels: PodLabels,
  { stable, isSwitched }: { stable: string; isSwitched: boolean },
): CandidateProblem[] =>
  services.flatMap((service) => {
    const name = describeObject(service);
    if (takes(service, labels.candidate)) {
      const reason = 'it would send traffic to the new version as soon as that is up';
      return [invalid(name, `selects the pods of ${stable} by other labels: ${reason}`)];
    }
    if (!isSwitched || !takes(service, labels.stable)) return [];
    const reason = 'it would go on sending to these pods while they are updated';
    return [
      invalid(
        name,
        `routes to the pods of ${stable} but is not in the manifests: ${reason}; add it to them`,
      ),
    ];
  });

/** Switching a Service would take the traffic from the other workloads behind it. */
export const sharedServices = (
  services: readonly KubernetesObject[],
  workloads: readonly KubernetesObject[],
): CandidateProblem[] =>
  services.flatMap((service) =>
    workloads
      .filter((workload) => takes(service, podLabelsOf(workload)))
      .map((workload) =>
        invalid(
          describeObject(service),
          `routes to ${describeObject(workload)} too, which would lose its traffic`,
        ),
      ),
  );

/** Selectors of a policy: whom it is for, and whom of this namespace it lets talk to those. */
const selectorsOf = (policy: KubernetesObject): unknown[] => {
  const spec = recordAt(policy, 'spec');
  const peers = [
    ...listAt(spec, 'ingress').flatMap((rule) => listAt(rule, 'from')),
    ...listAt(spec, 'egress').flatMap((rule) => listAt(rule, 'to')),
  ];
  const isHere = (peer: unknown): boolean => {
    const namespaces = recordAt(peer)['namespaceSelector'];
    return namespaces === undefined || matchesSelector(namespaces, {});
  };
  const ofPeers = peers.filter(isHere).map((peer) => recordAt(peer)['podSelector']);
  return [spec['podSelector'], ...ofPeers].filter(isRecord);
};

/** Policies that know the pods by the label in which the candidate differs. */
export const policyProblems = (
  policies: readonly KubernetesObject[],
  labels: PodLabels,
  { key, stable }: IdentityLabel,
): CandidateProblem[] =>
  policies
    .filter((policy) =>
      selectorsOf(policy).some(
        (selector) =>
          matchesSelector(selector, labels.stable) && !matchesSelector(selector, labels.candidate),
      ),
    )
    .map((policy) =>
      invalid(
        describeObject(policy),
        `knows the pods by ${key}=${String(stable)}, which those of the new version do not carry beside the old ones; select them by another label`,
      ),
    );
