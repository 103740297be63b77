import type { ObjectRef, KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import type { Checks, Releases, Routes, Workloads } from '../../activities/kubernetes/port.ts';
import type { BlobStore } from '../../activities/store/port.ts';
import type { ErrorCode } from '../../contracts/errors.ts';
import { createInMemoryBlobStore } from './in-memory-blob-store.ts';
import { createInMemoryChecks, type CheckKnobs } from './in-memory-checks.ts';
import { InMemoryClusterState } from './in-memory-cluster-state.ts';
import { createInMemoryReleases } from './in-memory-releases.ts';
import { createInMemoryRoutes } from './in-memory-routes.ts';
import { createInMemoryWorkloads } from './in-memory-workloads.ts';

/** What goes wrong or takes time; a test sets these before or during a run. */
export interface ClusterKnobs {
  /** Observations until a rollout is ready; Infinity never becomes ready. */
  pollsUntilReady: number;
  /** Ready pods of a workload at most, by its name; where nobody says, all that it wants. */
  readyPods?: (name: string) => number | undefined;
  /** Time between two observations. */
  pollEveryMs: number;
  /** How a rollout ends whose images contain the text, e.g. `{':bad': 'IMAGE_UNAVAILABLE'}`. */
  failRolloutOfImage: Record<string, ErrorCode>;
  /** Number of coming calls of a verb that fail, with their code, e.g. `{revert: {times: 2}}`. */
  fail: Partial<
    Record<keyof Releases | keyof Workloads | keyof Routes, { times: number; code?: ErrorCode }>
  >;
  /** Whether a gateway takes the weights of routes; without one nobody ever reports on them. */
  hasGateway: boolean | readonly string[];
  /** Called before each effective write with the step, e.g. to plant a foreign edit. */
  beforeWrite?: (step: string) => void;
  /** Called after each effective write with the step, e.g. to fail the attempt that made it. */
  afterWrite?: (step: string) => void;
}

export interface InMemoryCluster {
  readonly releases: Releases;
  readonly workloads: Workloads;
  readonly routes: Routes;
  readonly checks: Checks;
  /** What checks find; a test sets it before or during a run. */
  readonly checked: CheckKnobs;
  /** The verbs under their names on the wire, ready for a worker. */
  readonly activities: Record<string, (request: never) => Promise<unknown>>;
  readonly knobs: ClusterKnobs;
  readonly blobs: BlobStore;
  /** Every effective write in order, e.g. `patch Deployment/shop @3`: verb, object, fence. */
  readonly writes: string[];
  /** Stores a manifest set and returns its digest. */
  store(objects: readonly KubernetesObject[]): Promise<string>;
  objects(): KubernetesObject[];
  get(ref: ObjectRef): KubernetesObject | undefined;
  /** Somebody else's edit; undefined deletes the object. */
  edit(ref: ObjectRef, change: (object: KubernetesObject) => KubernetesObject | undefined): void;
  /** Somebody else's object. */
  add(object: KubernetesObject): void;
}

export interface InMemoryDeps {
  state: InMemoryClusterState;
  knobs: ClusterKnobs;
  blobs: BlobStore;
  writes: string[];
}

const onTheWire = (port: string, verbs: object): [string, (request: never) => Promise<unknown>][] =>
  Object.entries(verbs).map(([verb, run]) => [
    `${port}.${verb}`,
    run as (request: never) => Promise<unknown>,
  ]);

/**
 * A cluster without delays for workflow tests. Holds the same promises as the adapter of the
 * real API: the same conformance suite runs against both.
 */
export const createInMemoryCluster = (
  options: { blobs?: BlobStore; objects?: readonly KubernetesObject[] } = {},
): InMemoryCluster => {
  const state = new InMemoryClusterState();
  const blobs = options.blobs ?? createInMemoryBlobStore();
  const knobs: ClusterKnobs = {
    pollsUntilReady: 0,
    pollEveryMs: 5,
    failRolloutOfImage: {},
    fail: {},
    hasGateway: true,
  };
  const writes: string[] = [];
  const deps = { state, knobs, blobs, writes };
  for (const object of options.objects ?? []) state.put(object);
  const releases = createInMemoryReleases(deps);
  const workloads = createInMemoryWorkloads(deps);
  const routes = createInMemoryRoutes(deps);
  const { checks, knobs: checked } = createInMemoryChecks(deps);
  return {
    releases,
    workloads,
    routes,
    checks,
    checked,
    knobs,
    blobs,
    writes,
    activities: Object.fromEntries([
      ...onTheWire('releases', releases),
      ...onTheWire('workloads', workloads),
      ...onTheWire('routes', routes),
      ...onTheWire('checks', checks),
    ]),
    store: (objects) => blobs.put(new TextEncoder().encode(JSON.stringify({ objects }))),
    objects: () => state.all(),
    get: (ref) => state.get(ref),
    edit: (ref, change) => {
      const live = state.get(ref);
      if (live === undefined) return;
      const edited = change(live);
      if (edited === undefined) state.delete(ref);
      else state.put(edited);
    },
    add: (object) => {
      state.put(object);
    },
  };
};
