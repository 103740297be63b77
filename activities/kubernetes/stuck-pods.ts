import { describeRef } from '../../domain/delivery/kubernetes-object.ts';
import { refOf } from '../../domain/delivery/manifest-set.ts';
import { fenceOf } from '../../domain/delivery/object-fence.ts';
import { stuckPods, type RolloutSnapshot } from '../../domain/delivery/rollout-readiness.ts';
import { isPreconditionFailure } from './api-error.ts';
import type { Cluster } from './environments.ts';
import { deleteObject } from './object-access.ts';
import type { RolloutRequest } from './port.ts';
import { refuseLateWrite } from './release-writes.ts';

/**
 * Deletes, by uid, the pods that keep a StatefulSet from going back to the version before. Not any
 * more when a later release has written it: then it is on the way to something else.
 */
export const deleteStuckPods = async (
  cluster: Cluster,
  snapshot: RolloutSnapshot,
  { generation, forceEpoch }: RolloutRequest,
): Promise<void> => {
  if (forceEpoch === undefined || fenceOf(snapshot.workload) > forceEpoch) return;
  for (const pod of stuckPods(snapshot, generation)) {
    const ref = refOf(pod);
    refuseLateWrite(describeRef(ref));
    try {
      await deleteObject(cluster, { ref, uid: pod.metadata.uid ?? '' });
    } catch (error) {
      // Another pod has the name by now.
      if (!isPreconditionFailure(error)) throw error;
    }
  }
};
