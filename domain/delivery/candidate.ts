import type { ObjectRef } from './kubernetes-object.ts';
import type { PreviewHeader } from './preview-route.ts';

/**
 * When a change is written, where a release has phases. `stop` takes the old version away before
 * anything else. Where the new version comes up beside the old one: `stage` before it gets traffic, `switch` to give it the traffic, `update` while it has the traffic, `return`
 * to give the traffic back to the updated workload.
 */
export type RolloutPhase = 'stop' | 'stage' | 'switch' | 'update' | 'return';

/** A change that moves the traffic of Services from one workload to another. */
export interface TrafficMove {
  services: string[];
  before: ObjectRef;
  after: ObjectRef;
}

/** The new version beside the stable one, for the time of the rollout. */
export interface Candidate {
  /** Deployment that runs the new version beside the stable one. */
  workload: ObjectRef;
  /** The user's own Deployment. */
  stable: ObjectRef;
  /** Pods of the stable workload when the plan was made; what all traffic needs. */
  replicas: number;
  /** Services that route to the candidate only, with the port to probe. */
  preview: { name: string; port: number }[];
  /** HTTPRoute whose weights are shifted; without it the Services are switched. */
  route?: string;
  /** Without a route: the share is made by the numbers of pods; may there be one pod more? */
  byPods?: { surges: boolean };
  /** A route of its own that pins requests with the header to the candidate. */
  pinned?: { route: ObjectRef; header: PreviewHeader };
}
