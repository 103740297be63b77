/** A Kubernetes object as raw JSON: fields that we do not know are kept. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  [field: string]: unknown;
}

/** Names one object in the namespace of an environment. */
export interface ObjectRef {
  apiVersion: string;
  kind: string;
  name: string;
}

/** `Deployment/shop`: how an object is named to a reader. */
export const describeRef = (ref: ObjectRef): string => `${ref.kind}/${ref.name}`;

/**
 * Annotations that Holdfast writes. The fence only grows and is never removed,
 * so that a write that was delayed in the network finds a newer number and fails.
 */
export const annotations = {
  /** Epoch of the last write, a decimal integer. */
  fence: 'holdfast.dev/fence',
  /** `<environment>/<service>` that releases this object. */
  service: 'holdfast.dev/service',
  /** Release that last wrote the object. */
  release: 'holdfast.dev/release',
  /** Release that created the object; only that release may delete it on the way back. */
  createdBy: 'holdfast.dev/created-by',
  /**
   * The rolling update was stopped by us; a pause without it is someone else's. Of a Deployment the
   * epoch; of a StatefulSet or DaemonSet the update strategy to go back to, as JSON.
   */
  paused: 'holdfast.dev/paused',
  /** `<epoch>.<number>`: pods that a workload of the user was given for a share of the traffic. */
  scaled: 'holdfast.dev/scaled',
  /** Which of several writes of one plan the object had last: `<plan>.<number>`. */
  link: 'holdfast.dev/link',
  /** The object exists for the time of a rollout only. */
  temporary: 'holdfast.dev/temporary',
} as const;

/**
 * The manifest set as the client stores it and the worker reads it: JSON of this
 * shape in the blob store. Only its digest travels in a workflow's input.
 */
export interface StoredManifestSet {
  objects: KubernetesObject[];
}
