import type { PatchOperation } from '../../domain/delivery/json-patch.ts';
import { pointerOf } from '../../domain/delivery/json-pointer.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { describeObject, refOf } from '../../domain/delivery/manifest-set.ts';
import { normalised, type ComparisonScope } from '../../domain/delivery/normalised-object.ts';
import { diffValues } from '../../domain/delivery/object-diff.ts';
import { oneWayChanges, rehearseInverse } from '../../domain/delivery/one-way-fields.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import { patchObject } from './object-access.ts';

export interface Rehearsal {
  cluster: Cluster;
  live: KubernetesObject;
  /** The object as the API server said it will be. */
  predicted: KubernetesObject;
  scope: ComparisonScope;
}

const refuse = (live: KubernetesObject, reason: string): never => {
  const name = describeObject(live);
  throw codedFailure({
    code: 'IMMUTABLE_CHANGE',
    message: `${name} could not be put back: ${reason}. Nothing was touched.`,
    subject: name,
  });
};

/** Writes each old value over itself: proves that the API server still accepts the object as it is. */
const oldValuesOverThemselves = ({ live, predicted, scope }: Rehearsal): PatchOperation[] =>
  diffValues(normalised(live, scope), normalised(predicted, scope))
    .filter(({ before }) => before !== undefined)
    .map(({ path, before }) => ({ op: 'replace', path: pointerOf(path), value: before }));

/**
 * Proves at planning time that the change can be taken back: by a table of fields that only go
 * one way, by applying the inverse on paper, and by asking the API server about the old values.
 * @throws IMMUTABLE_CHANGE
 */
export const rehearseBackward = async (rehearsal: Rehearsal): Promise<void> => {
  const { cluster, live, predicted, scope } = rehearsal;
  const [oneWay] = oneWayChanges(live, predicted);
  if (oneWay !== undefined) refuse(live, `${oneWay.pointer}: ${oneWay.reason}`);
  const inexact = rehearseInverse(live, predicted, scope);
  if (inexact.length > 0) refuse(live, `the inverse is not exact at ${inexact.join(', ')}`);
  const operations = oldValuesOverThemselves(rehearsal);
  if (operations.length === 0) return;
  const uid: PatchOperation = { op: 'test', path: '/metadata/uid', value: live.metadata.uid };
  const change = { ref: refOf(live), operations: [uid, ...operations] };
  await patchObject(cluster, change, { dryRun: true });
};
