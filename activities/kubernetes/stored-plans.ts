import { canonicalJson } from '../../domain/delivery/canonical-json.ts';
import type { KubernetesObject, ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import type { PlanEntry, StoredPlan } from '../../domain/delivery/release-plan.ts';
import { codedFailure } from '../coded-failure.ts';

/** The part of the blob store that this capability needs; the store itself is another one. */
export interface Blobs {
  put(bytes: Uint8Array): Promise<string>;
  get(digest: string): Promise<Uint8Array>;
}

export interface CapturedReplicaSet {
  name: string;
  uid: string;
}

export interface CapturedObject {
  ref: ObjectRef;
  /** The whole object as it was; null where it did not exist. */
  object: KubernetesObject | null;
  /** Of a workload: every ReplicaSet or ControllerRevision it had, and the one that ran. */
  replicaSets: CapturedReplicaSet[];
  activeReplicaSetUid: string | null;
}

export interface StoredPreImage {
  preImageVersion: 1;
  objects: CapturedObject[];
}

const store = async (blobs: Blobs, value: unknown): Promise<string> =>
  blobs.put(new TextEncoder().encode(canonicalJson(value)));

const read = async (blobs: Blobs, digest: string): Promise<unknown> =>
  JSON.parse(new TextDecoder().decode(await blobs.get(digest))) as unknown;

export const storePlan = async (blobs: Blobs, plan: StoredPlan): Promise<string> =>
  store(blobs, plan);

const unreadable = (digest: string, what: string): Error =>
  codedFailure({
    code: 'BLOB_UNREADABLE',
    message: `Blob ${digest} is no ${what}.`,
    subject: digest,
  });

export const readPlan = async (blobs: Blobs, digest: string): Promise<StoredPlan> => {
  const plan = (await read(blobs, digest)) as Partial<StoredPlan>;
  if (plan.planVersion !== 1) throw unreadable(digest, 'plan');
  return plan as StoredPlan;
};

export const entryAt = (plan: StoredPlan, index: number): PlanEntry => {
  const entry = plan.entries[index];
  if (entry !== undefined) return entry;
  throw codedFailure({
    code: 'INTERNAL',
    message: `The plan has ${String(plan.entries.length)} changes, there is none at ${String(index)}.`,
  });
};

export const storePreImage = async (blobs: Blobs, preImage: StoredPreImage): Promise<string> =>
  store(blobs, preImage);

export const readPreImage = async (blobs: Blobs, digest: string): Promise<StoredPreImage> => {
  const preImage = (await read(blobs, digest)) as Partial<StoredPreImage>;
  if (preImage.preImageVersion !== 1) throw unreadable(digest, 'pre-image');
  return preImage as StoredPreImage;
};

export const capturedOf = (preImage: StoredPreImage, ref: ObjectRef): CapturedObject | undefined =>
  preImage.objects.find((captured) => describeRef(captured.ref) === describeRef(ref));
