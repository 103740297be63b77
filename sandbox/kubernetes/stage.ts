/** kwok's Stage (https://kwok.sigs.k8s.io/docs/user/stages-configuration/), as far as we use it. */

/** `key` is a jq expression on the object. */
export interface StageCondition {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

export interface StageDescription {
  readonly name: string;
  readonly kind: 'Node' | 'Pod';
  /** All must hold. */
  readonly when: readonly StageCondition[];
  readonly delayMs?: number;
  /** Parts of a Go template for the status, in YAML. */
  readonly status?: readonly string[];
  readonly deletes?: boolean;
}

export interface Stage {
  readonly apiVersion: 'kwok.x-k8s.io/v1alpha1';
  readonly kind: 'Stage';
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

export function stage(description: StageDescription): Stage {
  const { delayMs, status, deletes } = description;
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name: description.name },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: description.kind },
      selector: { matchExpressions: description.when },
      ...(delayMs === undefined ? {} : { delay: { durationMilliseconds: delayMs } }),
      next: {
        ...(status === undefined ? {} : { statusTemplate: status.join('\n') }),
        ...(deletes === true ? { delete: true } : {}),
      },
    },
  };
}
