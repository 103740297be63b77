/** What level 2 (real pods) offers to the sandbox; `node/index.ts` provides it. */
import type { ControlPlane } from './kubernetes/control-plane.ts';
import type { OnProgress } from './progress.ts';
import type { ProcessSupervisor } from './state/processes.ts';

/** One change to the machine that a user is asked about before it is made. */
export interface HostChange {
  readonly id: string;
  /** What is changed, e.g. `add the address 10.99.0.1/32 to lo`. */
  readonly change: string;
  readonly reason: string;
  /** How `down` undoes it, or why it stays (an installed package). */
  readonly undo: string;
}

export interface NodeOptions {
  readonly onProgress: OnProgress;
  /** Traefik's executable, found or installed by the catalogue. */
  readonly traefikBinary: string;
  /** Folder of the Gateway API definitions (`config/crd/standard` of the module). */
  readonly gatewayDefinitionsDirectory: string;
}

export interface NodeHandle {
  readonly nodeName: string;
  /** Where HTTP traffic to Gateways enters. */
  readonly gatewayUrl: string;
}

export interface HostPreparation {
  readonly stateDirectory: string;
  readonly processes: ProcessSupervisor;
  readonly onProgress: OnProgress;
}

/**
 * The exports of `node/index.ts`. The sandbox calls them in this order:
 * explainUnavailable → listHostChanges → (the user agrees) → prepareHost →
 * control plane at `nodeAddress`, and startContainers beside it → startNode; and stopNode before the control
 * plane goes. Every call may be repeated, also after a crash.
 */
export interface NodeLayer {
  /** The control plane binds and advertises this address; prepareHost puts it on `lo`. */
  readonly nodeAddress: string;
  /** Why this machine cannot run level 2 (not root, not Linux, held by another state directory). */
  explainUnavailable(stateDirectory: string): Promise<string | undefined>;
  /** Only changes that are not yet made. */
  listHostChanges(stateDirectory: string): Promise<readonly HostChange[]>;
  prepareHost(preparation: HostPreparation): Promise<void>;
  /** containerd with the sample images; needs no control plane. */
  startContainers(preparation: HostPreparation): Promise<void>;
  startNode(cluster: ControlPlane, options: NodeOptions): Promise<NodeHandle>;
  /** Also undoes prepareHost. */
  stopNode(stateDirectory: string): Promise<void>;
}
