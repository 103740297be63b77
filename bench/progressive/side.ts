import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { exampleManifests } from '../../test/e2e/shop-on-real-pods.ts';
import type { Entry } from './user-traffic.ts';

/** A stop of a canary: its share, and how long it is watched. */
export interface Stop {
  weightPercent: number;
  forMs: number;
}

export type End = 'deployed' | 'put-back';

/** A release that was asked for. */
export interface Asked {
  /** When the system itself says that it is over. */
  ended: Promise<End>;
  /** Gives the old version everything back: an abort, or the way back after a switch. */
  putBack(): Promise<void>;
  /** Ends the time for which the old version is kept, where the system waits for that. */
  finish(): Promise<void>;
}

/** The sample service as one system releases it, in a namespace of its own. */
export interface ReleasedShop {
  namespace: string;
  entry: Entry;
  /** Asks for a version, and returns as soon as the system has taken it. */
  ask(version: string, stops: readonly Stop[]): Promise<Asked>;
  /** Share that the router was told to give to the new version. */
  weightPercent(): Promise<number>;
  /** Makes the next release possible; where a put-back already did, nothing is left to do. */
  settle(version: string): Promise<void>;
}

/** A system that releases services. */
export interface Side {
  name: string;
  canary: ReleasedShop;
  blueGreen: ReleasedShop;
  /** SIGKILL for what does the work, and a new process at once. */
  crash(): void;
  close(): Promise<void>;
}

/** Both release the same manifests; versions differ in the image only. */
export const shopObjects = (version: string): KubernetesObject[] =>
  exampleManifests('v1').map((object) =>
    object.kind === 'Deployment' ? withImage(object, version) : object,
  );

export const imageOf = (version: string): string => `localhost/shop:${version}`;

interface Workload {
  spec: { template: { spec: { containers: { image: string }[] } } };
}

const withImage = (object: KubernetesObject, version: string): KubernetesObject => {
  const copy = structuredClone(object);
  const { containers } = (copy as unknown as Workload).spec.template.spec;
  for (const container of containers) container.image = imageOf(version);
  return copy;
};

/** How often metrics are measured; the same for both. */
export const intervalMs = 5_000;
/** Failed share above which a version is bad. */
export const mostFailed = 0.01;
export const shopHost = (namespace: string): string => `shop.${namespace}.local`;
