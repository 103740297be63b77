import { createChecks } from './raw-checks.ts';
import { createReleases } from './raw-releases.ts';
import { createRoutes } from './raw-routes.ts';
import { createWorkloads } from './raw-workloads.ts';
import type { ReleaseDeps } from './release-planning.ts';

export { createClusterIpLookup } from './cluster-addresses.ts';
export { createEnvironments, type Environments } from './environments.ts';
export { createRbacAccessTarget } from './rbac-access-target.ts';
export { createChecks } from './raw-checks.ts';
export { createReleases } from './raw-releases.ts';
export { createRoutes } from './raw-routes.ts';
export { createWorkloads } from './raw-workloads.ts';

type Activity = (request: never) => Promise<unknown>;

const onTheWire = (port: string, verbs: object): [string, Activity][] =>
  Object.entries(verbs).map(([verb, run]) => [`${port}.${verb}`, run as Activity]);

/** The activities of this capability under their types on the wire, e.g. `releases.plan`. */
export const createKubernetesActivities = (deps: ReleaseDeps): Record<string, Activity> =>
  Object.fromEntries([
    ...onTheWire('releases', createReleases(deps)),
    ...onTheWire('workloads', createWorkloads(deps)),
    ...onTheWire('routes', createRoutes(deps)),
    ...onTheWire('checks', createChecks(deps)),
  ]);
