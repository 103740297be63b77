import { describeRef, type ObjectRef } from '../../domain/delivery/kubernetes-object.ts';
import type { StoredPlan } from '../../domain/delivery/release-plan.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Cluster } from './environments.ts';
import type { PlanStep } from './port.ts';
import type { ReleaseDeps } from './release-planning.ts';
import { readPlan } from './stored-plans.ts';

/** A plan that is being carried out, on the cluster it was made for. */
export interface OpenPlan {
  cluster: Cluster;
  plan: StoredPlan;
}

const belongs = (plan: StoredPlan, request: PlanStep): boolean =>
  plan.environment === request.environment &&
  plan.service === request.service &&
  plan.release === request.release;

/** @throws BLOB_UNREADABLE, CLUSTER_MISMATCH if the environment now means another place */
export const openPlan = async (deps: ReleaseDeps, request: PlanStep): Promise<OpenPlan> => {
  const plan = await readPlan(deps.blobs, request.planDigest);
  if (!belongs(plan, request)) {
    throw codedFailure({
      code: 'INTERNAL',
      message: `Plan ${request.planDigest} is for ${plan.environment}/${plan.service} ${plan.release}, not for ${request.environment}/${request.service} ${request.release}.`,
    });
  }
  const cluster = await deps.environments.locate(request.environment);
  if (cluster.uid !== plan.clusterUid || cluster.namespace !== plan.namespace) {
    throw codedFailure({
      code: 'CLUSTER_MISMATCH',
      message: `The plan was made for namespace ${plan.namespace} of cluster ${plan.clusterUid}, but ${request.environment} now means namespace ${cluster.namespace} of cluster ${cluster.uid}; nothing was touched.`,
      subject: request.environment,
    });
  }
  return { cluster, plan };
};

export const aboutObject = (ref: ObjectRef): { subject: string; secret: boolean } => ({
  subject: describeRef(ref),
  secret: ref.kind === 'Secret',
});
