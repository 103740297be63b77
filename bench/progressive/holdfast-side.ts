import { routeToShop } from '../../test/e2e/shop-on-real-pods.ts';
import { createReleaseLane, type ReleaseLane } from '../../test/kill/release-lane.ts';
import { createRigInLane, type ReleaseRig, type Stack } from '../../test/kill/release-rig.ts';
import { hostOf } from '../../test/setup/release-stack.ts';
import type { ClusterCalls } from './cluster-calls.ts';
import { failedShareQuery } from './exported-metrics.ts';
import { intervalMs, mostFailed, shopObjects } from './side.ts';
import type { Asked, ReleasedShop, Side, Stop } from './side.ts';

interface Route {
  spec: { rules: { backendRefs: { name: string; weight?: number }[] }[] };
}

const analysis = (namespace: string): object => ({
  metrics: [
    {
      name: 'failed-share',
      query: failedShareQuery(namespace),
      intervalMs,
      successCondition: `result <= ${String(mostFailed)}`,
      failureCondition: `result > ${String(mostFailed)}`,
    },
  ],
});

const strategyOf = (stops: readonly Stop[]): object =>
  stops.length === 0
    ? { type: 'blue-green', retainMs }
    : { type: 'canary', route: 'shop', steps: stops };

/** As long as the peer keeps its old pods after a switch. */
const retainMs = 30_000;

const askFor = async (rig: ReleaseRig, wanted: Wanted): Promise<Asked> => {
  const { release, version, stops } = wanted;
  await rig.start({
    release,
    objects: shopObjects(version),
    input: {
      strategy: strategyOf(stops),
      stableMs: 0,
      ...(stops.length === 0 ? {} : { analysis: analysis(rig.namespace) }),
    },
  });
  const handle = rig.client.workflow.getHandle(rig.workflowId(release));
  const args: [object] = [{ actor: 'bench', reason: 'the old version again' }];
  return {
    ended: rig
      .result(release)
      .then(({ outcome }) => (outcome === 'deployed' ? 'deployed' : 'put-back')),
    putBack: async () => {
      await handle.executeUpdate('abort', { args });
    },
    finish: async () => {
      await handle.executeUpdate('promote', { args });
    },
  };
};

interface Wanted {
  release: string;
  version: string;
  stops: readonly Stop[];
}

const weightIn = ({ spec }: Route): number => {
  const backends = spec.rules[0]?.backendRefs ?? [];
  const total = backends.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const candidate = backends.find(({ name }) => name !== 'shop')?.weight ?? 0;
  return total === 0 ? 0 : (candidate / total) * 100;
};

const createShop = async (
  lane: ReleaseLane,
  cluster: ClusterCalls,
  namespace: string,
): Promise<ReleasedShop> => {
  const rig = await createRigInLane(lane, namespace);
  await routeToShop(lane.stack, namespace);
  let asked = 0;
  const path = `/apis/gateway.networking.k8s.io/v1/namespaces/${namespace}/httproutes/shop`;
  await rig.release({ release: 'first', objects: shopObjects('1') });
  return {
    namespace,
    entry: { url: lane.stack.gatewayUrl ?? '', host: hostOf(namespace) },
    ask: async (version, stops) => {
      asked += 1;
      return askFor(rig, { release: `r${String(asked)}`, version, stops });
    },
    weightPercent: async () => weightIn((await cluster.get(path)) as Route),
    settle: () => Promise.resolve(),
  };
};

export interface SideOptions {
  stack: Stack;
  cluster: ClusterCalls;
  prometheusUrl: string;
  /** Of the two services, for canaries and for blue-green. */
  namespaces: { canary: string; blueGreen: string };
}

/** Holdfast with the timeouts that users have, and one worker. */
export const createHoldfastSide = async (options: SideOptions): Promise<Side> => {
  const { stack, cluster, prometheusUrl, namespaces } = options;
  const lane = await createReleaseLane(stack, {
    name: namespaces.canary,
    environments: Object.values(namespaces),
    timeouts: 'standard',
    throughProxy: false,
    prometheusUrl,
  });
  return {
    name: 'Holdfast',
    canary: await createShop(lane, cluster, namespaces.canary),
    blueGreen: await createShop(lane, cluster, namespaces.blueGreen),
    crash: () => {
      lane.worker.crash();
    },
    close: () => lane.close(),
  };
};
