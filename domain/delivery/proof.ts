import type { ObjectRef } from './kubernetes-object.ts';

/**
 * `exact`: the object is what it must be. `foreign-change-preserved`: someone
 * else changed a field meanwhile; it was kept and is listed. `differs`: it is not
 * what it must be. `leftover`: it must not exist. `missing`: it must exist.
 * `recreated`: someone else had deleted it; it is equal, but has a new uid.
 * `replica-set-replaced`: the workload is equal, but its old ReplicaSet had been
 * pruned by Kubernetes, so that the pods belong to a new one.
 */
export type ProofVerdict =
  | 'exact'
  | 'foreign-change-preserved'
  | 'differs'
  | 'leftover'
  | 'missing'
  | 'recreated'
  | 'replica-set-replaced';

export interface ProofRow {
  object: ObjectRef;
  /** sha256 of the normalised object before the release; `absent` when it did not exist. */
  hashBefore: string;
  /** sha256 of the normalised object now; `absent` when it does not exist. */
  hashAfter: string;
  verdict: ProofVerdict;
  /** JSON pointers of the fields that the verdict is about; values are left out. */
  fields: string[];
}

export interface Proof {
  /** `forward`: everything is as the plan says. `back`: everything is as before. */
  direction: 'forward' | 'back';
  rows: ProofRow[];
  /** Fields that the comparison leaves out, with the reason for each. */
  ignored: { path: string; reason: string }[];
}

/** True only if every single verdict is exact. */
export const isExact = (proof: Proof): boolean =>
  proof.rows.every((row) => row.verdict === 'exact');
