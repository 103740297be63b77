import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { nodeLayer } from '../../sandbox/node/index.ts';
import { repeatedEffects } from '../kill/audit-log.ts';
import type { ProxiedRequest } from '../kill/fault-proxy.ts';
import { createReleaseRig, type ReleaseRig, type Stack } from '../kill/release-rig.ts';
import { createPointCounter, pointOfRequest, type WritePoint } from '../kill/write-points.ts';
import { describeUnless } from '../setup/describe-unless.ts';
import { hostOf, levelTwoState, startReleaseStack } from '../setup/release-stack.ts';
import { sendWhile } from '../setup/steady-requests.ts';
import { createApiReader, type ApiReader } from './checker/api-reader.ts';
import { compareSnapshots } from './checker/compare.ts';
import { takeSnapshot, takeSnapshotAtRest } from './checker/namespace-snapshot.ts';
import { routeToShop, shopManifests } from './shop-on-real-pods.ts';

// A sandbox that was left running has the namespaces of earlier runs.
const run = Date.now().toString(36);
const minute = 60_000;
const reason = await nodeLayer.explainUnavailable(levelTwoState);

/** The manifests of version 1 or 2 with something new in every object. */
const manifests = (release: number, image = `localhost/shop:${String(1 + (release % 2))}`) => {
  const labelled = (object: KubernetesObject): object => ({
    metadata: { ...object.metadata, labels: { release: String(release) } },
  });
  const changes: Record<string, (object: KubernetesObject) => object> = {
    ConfigMap: () => ({ data: { SHOP_GREETING: `Welcome number ${String(release)}` } }),
    Secret: () => ({ stringData: { token: `token-${String(release)}` } }),
    PodDisruptionBudget: labelled,
    Service: labelled,
  };
  const text = JSON.stringify(shopManifests('v1')).replaceAll('localhost/shop:1', image);
  return (JSON.parse(text) as KubernetesObject[]).map((object) => ({
    ...object,
    ...changes[object.kind]?.(object),
  }));
};

/** Fails within seconds and is put back. */
const imageThatNobodyHas = 'localhost/shop:none';

const isLong = process.env['HOLDFAST_LONG'] === '1';

/** Level 1 has every point of these in the normal lane; here it is with real pods and users. */
const besideStrategies = [
  ['blue-green', { type: 'blue-green', retainMs: 30 * minute }],
  ['canary', { type: 'canary', route: 'shop', steps: [{ weightPercent: 50, forMs: 60_000 }] }],
] as const;

/** The service in a namespace of its own, with a worker of its own. */
interface Shop {
  namespace: string;
  rig: ReleaseRig;
  releases: number;
}

const openShop = async (stack: Stack, name: string): Promise<Shop> => {
  const namespace = `kill-${name}-${run}`;
  const rig = await createReleaseRig(stack, namespace);
  await routeToShop(stack, namespace);
  await rig.release({ release: 'base', objects: manifests(0) });
  return { namespace, rig, releases: 0 };
};

/** Its worker ends with the work, also where that fails. */
const inShop = async <Found>(
  stack: Stack,
  name: string,
  work: (shop: Shop) => Promise<Found>,
): Promise<Found> => {
  const shop = await openShop(stack, name);
  try {
    return await work(shop);
  } finally {
    await shop.rig.close();
  }
};

const release = async (shop: Shop, image?: string): Promise<string> => {
  shop.releases += 1;
  const objects = manifests(shop.releases, image);
  const result = await shop.rig.release({ release: `r${String(shop.releases)}`, objects });
  return result.outcome;
};

/** With the new version beside the old one; whoever only waits for an operator gets the verb. */
const releaseBeside = async (
  shop: Shop,
  strategy: object,
  verb: 'promote' | 'abort',
): Promise<string> => {
  shop.releases += 1;
  const name = `r${String(shop.releases)}`;
  const objects = manifests(shop.releases);
  await shop.rig.start({ release: name, objects, input: { strategy } });
  await shop.rig.steer(name, verb);
  return (await shop.rig.result(name)).outcome;
};

/** The same in every release, whose contents give some objects names of their own. */
const pointOfAnyRelease = (request: ProxiedRequest): WritePoint =>
  pointOfRequest(request).replace(/-(?=[a-z]*\d)[\da-z]{8,10}$/, '');

/** Plays the release once without a fault and answers its write points. */
const learn = async (shop: Shop, play: () => Promise<string>): Promise<WritePoint[]> => {
  const points: WritePoint[] = [];
  const number = createPointCounter();
  shop.rig.proxy.decide = (request) => {
    if (request.mutating) points.push(number(pointOfAnyRelease(request)));
    return { kind: 'forward' };
  };
  await play();
  return points;
};

/** A write at which the worker is killed: before it takes effect, or after. */
interface Kill {
  point: WritePoint;
  before: boolean;
}

/** Each run meets some of them, far apart; unless all are asked for, where one is enough to wait for. */
const killsByRun = (points: readonly WritePoint[]): Kill[][] => {
  const kills = points.map((point, index) => ({ point, before: index % 2 === 0 }));
  const runs = isLong ? kills.length : Math.ceil(kills.length / 3);
  return Array.from({ length: runs }, (_, run) => kills.filter((_kill, at) => at % runs === run));
};

/** Kills the worker at these writes of the next run; answers which of them it has not met. */
const killAt = ({ rig }: Shop, kills: readonly Kill[]): { unmet: () => WritePoint[] } => {
  const waiting = new Map(kills.map(({ point, before }) => [point, before]));
  const number = createPointCounter();
  rig.proxy.decide = (request) => {
    const point = request.mutating ? number(pointOfAnyRelease(request)) : '';
    const before = waiting.get(point);
    if (before === undefined) return { kind: 'forward' };
    waiting.delete(point);
    const meanwhile = (): void => {
      rig.worker.crash();
    };
    return before ? { kind: 'lose-before', meanwhile } : { kind: 'lose-after', meanwhile };
  };
  return { unmet: () => [...waiting.keys()] };
};

describeUnless(reason, 'I-3 a worker killed at a write, with real pods under load', () => {
  let stack: Stack;
  let reader: ApiReader;

  beforeAll(async () => {
    stack = await startReleaseStack(2, 'e2e');
    reader = createApiReader(stack.kubeconfigPath, stack.context);
  }, 30 * minute);

  afterAll(() => {
    reader.close();
  });

  /** How many writes were hit. Each shop gets half of the requests. */
  const underLoad = async (shop: Shop, hitAll: () => Promise<number>): Promise<number> => {
    const url = stack.gatewayUrl ?? '';
    let hits = 0;
    const target = { url, host: hostOf(shop.namespace), perSecond: 105 };
    const report = await sendWhile(target, async () => {
      hits = await hitAll();
    });
    expect(report.failures).toEqual([]);
    expect(repeatedEffects(await shop.rig.writes())).toEqual([]);
    return hits;
  };

  const hitUpdates = async (shop: Shop): Promise<number> => {
    const points = await learn(shop, () => release(shop));
    return underLoad(shop, async () => {
      for (const kills of killsByRun(points)) {
        const fault = killAt(shop, kills);
        expect(await release(shop)).toBe('deployed');
        expect(fault.unmet()).toEqual([]);
      }
      return points.length;
    });
  };

  /** The writes before the failure are those of an update; unless all are asked for, two are kept. */
  const hitUndos = async (shop: Shop): Promise<number> => {
    const points = await learn(shop, () => release(shop, imageThatNobodyHas));
    const firstBack = points.findIndex((point) => point.includes('releases.revert'));
    const hit = points.slice(isLong ? 0 : Math.max(0, firstBack - 2));
    return underLoad(shop, async () => {
      const before = await takeSnapshotAtRest(reader, shop.namespace);
      for (const kills of killsByRun(hit)) {
        const fault = killAt(shop, kills);
        expect(await release(shop, imageThatNobodyHas)).toBe('restored-exactly');
        expect(fault.unmet()).toEqual([]);
        const after = await takeSnapshot(reader, shop.namespace);
        expect(compareSnapshots(before, after)).toEqual([]);
      }
      return hit.length;
    });
  };

  const hitBeside = async (shop: Shop, strategy: object): Promise<number> => {
    const ends = [
      ['abort', 'restored-exactly'],
      ['promote', 'deployed'],
    ] as const;
    let hits = 0;
    for (const [verb, outcome] of ends) {
      const play = (): Promise<string> => releaseBeside(shop, strategy, verb);
      for (const kills of killsByRun(await learn(shop, play))) {
        const fault = killAt(shop, kills);
        expect(await play()).toBe(outcome);
        expect(fault.unmet()).toEqual([]);
        hits += kills.length;
      }
    }
    return hits;
  };

  test(
    'at every write of an update and of an undo: the same end, and no request fails',
    async () => {
      const [updates, undos] = await Promise.all([
        inShop(stack, 'update', hitUpdates),
        inShop(stack, 'undo', hitUndos),
      ]);
      expect(updates + undos).toBeGreaterThanOrEqual(12);
    },
    15 * minute,
  );

  if (isLong) {
    test.each(besideStrategies)(
      'at every write of a release by %s, there and back: the same end, and no request fails',
      async (name, strategy) => {
        await inShop(stack, name, (shop) => underLoad(shop, () => hitBeside(shop, strategy)));
      },
      60 * minute,
    );
  }
});
