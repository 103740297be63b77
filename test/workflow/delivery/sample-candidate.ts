import type { KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import type { ReleaseServer, World } from './release-server.ts';
import { runningWorld } from './sample-release.ts';
import type { ReleaseHandle } from './sample-release.ts';

export const minuteMs = 60_000;
const smoke = [{ path: '/healthz', expectStatus: 200 }];
const bake = { forMs: 1_000, path: '/', maxFailureRatio: 0.01, requestsPerSecond: 500 };
export const watched = { smoke, bake: { ...bake, minSamples: 20 }, versionHeader: 'X-Version' };

const route: KubernetesObject = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'shop', uid: 'route-1', generation: 1 },
  spec: {
    parentRefs: [{ name: 'gateway' }],
    rules: [{ backendRefs: [{ name: 'shop', port: 80, group: '', kind: 'Service', weight: 1 }] }],
  },
};

/** Version 1 runs and answers; version 2 answers through whatever share it has. */
export const worldWithRoute = async (server: ReleaseServer): Promise<World> => {
  const world = await runningWorld(server);
  world.cluster.add(route);
  world.traffic.smokeVersion = '2';
  world.traffic.versions = () => {
    const share = shareIn(world);
    return [
      { version: '1', share: 1 - share, failureRatio: 0 },
      { version: '2', share, failureRatio: world.traffic.failureRatio ?? 0 },
    ];
  };
  return world;
};

export const weightsIn = (world: World): number[] => {
  const live = world.cluster.get({ ...route, name: 'shop' }) as unknown as {
    spec: { rules: { backendRefs: { weight?: number }[] }[] };
  };
  return (live.spec.rules[0]?.backendRefs ?? []).map(({ weight = 1 }) => weight);
};

const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' };

/** Share of version 2: by the weights, or all where only the updated Deployment is left. */
const shareIn = (world: World): number => {
  const [stable = 1, candidate] = weightsIn(world);
  if (candidate !== undefined) return candidate / (stable + candidate);
  return JSON.stringify(world.cluster.get(deployment)).includes('shop:2') ? 1 : 0;
};

export const writesOf = (world: World): string[] =>
  world.cluster.writes.map((write) =>
    write.replace(/ @\d+$/, '').replaceAll(/-[0-9a-f]{6}\b/g, '-x'),
  );

export const verdicts = (result: Awaited<ReturnType<ReleaseHandle['result']>>): string[] =>
  result.gates.map(({ name, verdict }) => `${name}: ${verdict}`);
