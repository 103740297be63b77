import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterCalls } from '../../progressive/cluster-calls.ts';
import { imageOf } from '../../progressive/side.ts';
import type { Asked, End, ReleasedShop, Stop } from '../../progressive/side.ts';
import { waitFor } from '../../progressive/user-traffic.ts';

/** Which of the committed files configures it. */
export type RolloutFile = 'canary' | 'blue-green';

interface Container {
  image: string;
}

interface RolloutObject {
  metadata: { generation: number };
  spec: { template: { spec: { containers: Container[] } } };
  status?: {
    observedGeneration?: string;
    phase?: string;
    abort?: boolean;
    stableRS?: string;
    currentPodHash?: string;
  };
}

interface TraefikService {
  spec: { weighted: { services: { name: string; weight?: number }[] } };
}

/** A stop is a weight and a pause in its terms. */
const stepsOf = (stops: readonly Stop[]): object[] =>
  stops.flatMap(({ weightPercent, forMs }) => [
    { setWeight: weightPercent },
    { pause: { duration: `${String(forMs / 1_000)}s` } },
  ]);

/** Its own verdict; undefined while it is at work or has not seen the change yet. */
const endOf = ({ metadata, status = {} }: RolloutObject): End | undefined => {
  if (status.observedGeneration !== String(metadata.generation)) return undefined;
  if (status.phase === 'Degraded') return 'put-back';
  const isStable = status.stableRS === status.currentPodHash;
  return status.phase === 'Healthy' && isStable ? 'deployed' : undefined;
};

/** A Rollout object, steered as its command line does: by patches of its fields and its status. */
export const createRollout = (
  cluster: ClusterCalls,
  { namespace, file }: { namespace: string; file: RolloutFile },
): Pick<ReleasedShop, 'ask' | 'weightPercent' | 'settle'> => {
  const rolloutPath = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts/shop`;
  const weightsPath = `/apis/traefik.io/v1alpha1/namespaces/${namespace}/traefikservices/shop`;
  const read = async (): Promise<RolloutObject> =>
    (await cluster.get(rolloutPath)) as RolloutObject;
  /** A merge patch replaces the list of containers, so that all of each must be in it. */
  const setVersion = async (version: string, strategy: object): Promise<string> => {
    const { spec } = await read();
    const before = spec.template.spec.containers[0]?.image ?? '';
    const containers = spec.template.spec.containers.map((container) => ({
      ...container,
      image: imageOf(version),
    }));
    await cluster.merge(rolloutPath, {
      spec: { ...strategy, template: { spec: { containers } } },
    });
    return before.slice(before.lastIndexOf(':') + 1);
  };
  const ended = (): Promise<End> => waitFor('the rollout to end', async () => endOf(await read()));
  const ask = async (version: string, stops: readonly Stop[]): Promise<Asked> => {
    const isCanary = file === 'canary';
    const strategy = isCanary ? { strategy: { canary: { steps: stepsOf(stops) } } } : {};
    const before = await setVersion(version, strategy);
    return {
      ended: ended(),
      putBack: async () => {
        // After a promotion there is nothing to abort: the way back is the old version again.
        if (isCanary) await cluster.merge(`${rolloutPath}/status`, { status: { abort: true } });
        else await setVersion(before, {});
      },
      finish: () => Promise.resolve(),
    };
  };
  return {
    ask,
    settle: async (version) => {
      await setVersion(version, {});
      while ((await ended()) !== 'deployed') await delay(50);
    },
    weightPercent: async () => {
      const { spec } = (await cluster.get(weightsPath)) as TraefikService;
      return spec.weighted.services.find(({ name }) => name === 'shop-canary')?.weight ?? 0;
    },
  };
};
