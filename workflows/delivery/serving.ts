import type { RolloutObservation } from '../../activities/kubernetes/port.ts';
import type { Candidate } from '../../domain/delivery/candidate.ts';
import type { ReleaseRun } from './release-run.ts';

/** A workload that runs the new version, and the Services that route to it. */
export interface RolledOut {
  services: string[];
  observation: RolloutObservation;
}

/** Is the workload ready to take traffic now? Waits a little for it; nobody gets traffic unready. */
export const awaitServing = (
  run: ReleaseRun,
  object: Candidate['workload'],
): Promise<RolloutObservation> => {
  const { environment, service } = run.input;
  const { shiftDeadlineMs: deadlineMs } = run.waits;
  return run.ports.workloads.awaitRollout(
    { environment, service, object, generation: 0, deadlineMs, stableMs: 0 },
    { summary: `is ${object.name} ready for traffic?`, waitMs: deadlineMs },
  );
};

/** Waits until the Services reach the pods of one workload and no others. */
export const endpointsOf = (
  run: ReleaseRun,
  { services, observation }: RolledOut,
): Promise<{ endpoints: number }> => {
  const { environment, service } = run.input;
  const { endpointsDeadlineMs: deadlineMs } = run.waits;
  const { replicaSet, wantedReplicas: replicas } = observation;
  const request = { environment, service, services, replicaSetUid: replicaSet.uid, replicas };
  return run.ports.workloads.awaitEndpoints(
    { ...request, deadlineMs },
    { summary: `wait until ${services.join(', ')} serve the new version`, waitMs: deadlineMs },
  );
};
