import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeployServiceProgress } from '../contracts/delivery/deploy-service.ts';
import { queryNames } from '../contracts/messages.ts';
import { sandboxDown } from '../sandbox/index.ts';
import { packageRoot } from '../sandbox/package-root.ts';
import { routeToShop } from '../test/e2e/shop-on-real-pods.ts';
import { createReleaseRig, type ReleaseRig } from '../test/kill/release-rig.ts';
import { hostOf, levelTwoState, startReleaseStack } from '../test/setup/release-stack.ts';
import { figure, type Figure } from './figure.ts';
import { drawRelease, type SeenRelease } from './pictures/traffic-picture.ts';
import { shopObjects } from './progressive/side.ts';
import { startUserTraffic } from './progressive/user-traffic.ts';

const perSecond = 200;
/** What is shown before the release begins and after it has ended. */
const marginMs = 2_000;
const good = 'good';
const bad = 'bad';

const stops = [
  { weightPercent: 10, forMs: 5_000 },
  { weightPercent: 50, forMs: 5_000 },
];

/** The strategies as their pages describe them, with short times. */
const strategies = {
  rolling: { type: 'rolling' },
  'blue-green': { type: 'blue-green', retainMs: 5_000 },
  canary: { type: 'canary', route: 'shop', steps: stops },
} as const;

type StrategyName = keyof typeof strategies;

const gates = {
  smoke: [{ path: '/healthz', expectStatus: 200 }],
  // A tenth of them must be enough for a verdict in five seconds.
  bake: { forMs: 5_000, maxFailureRatio: 0.01, requestsPerSecond: 200 },
  versionHeader: 'X-Version',
};

interface Scene {
  strategy: StrategyName;
  kind: typeof good | typeof bad;
  from: string;
  to: string;
}

/** Each begins with what the one before left. */
const scenes: readonly Scene[] = [
  { strategy: 'rolling', kind: good, from: '1', to: '2' },
  { strategy: 'rolling', kind: bad, from: '2', to: '3b' },
  { strategy: 'blue-green', kind: good, from: '2', to: '1' },
  { strategy: 'blue-green', kind: bad, from: '1', to: '3b' },
  { strategy: 'canary', kind: good, from: '1', to: '2' },
  { strategy: 'canary', kind: bad, from: '2', to: '3b' },
];

const summaryOf = ({ strategy, kind, to }: Scene): string =>
  kind === good
    ? `Share of the answers of both versions in a ${strategy} release, over time`
    : `Share of the answers of both versions in a ${strategy} release of version ${to}, whose answers fail, over time`;

const play = async (
  rig: ReleaseRig,
  entry: { url: string; host: string },
  scene: Scene,
): Promise<SeenRelease> => {
  const { strategy, kind, from, to } = scene;
  const release = `${strategy}-${kind}`;
  const traffic = startUserTraffic(entry, { perSecond, onAnswer: () => undefined });
  await delay(marginMs);
  const input = { ...gates, strategy: strategies[strategy] };
  const result = await rig.release({ release, objects: shopObjects(to), input });
  await delay(marginMs);
  const answers = await traffic.stop();
  const wanted = kind === good ? 'deployed' : 'restored-exactly';
  if (result.outcome !== wanted) {
    throw new Error(`${release} ended ${result.outcome}: ${JSON.stringify(result.failure ?? {})}`);
  }
  const handle = rig.client.workflow.getHandle(rig.workflowId(release));
  const { stages } = await handle.query<DeployServiceProgress>(queryNames.progress);
  return { summary: summaryOf(scene), from, to, answers, stages };
};

/** Requests that failed, whoever answered; the answers of a bad version are meant to. */
const failedOf = ({ answers, to }: SeenRelease, { kind }: Scene): number =>
  answers.filter(
    ({ failure, version }) => failure !== undefined && (kind === good || version !== to),
  ).length;

/** Draws the pictures of the pages about strategies, each from a release on real pods. */
export async function* drawPictures(): AsyncGenerator<Figure> {
  const folder = path.join(packageRoot(), 'docs', 'strategies', 'images');
  await mkdir(folder, { recursive: true });
  try {
    const stack = await startReleaseStack(2, `pictures-${String(process.pid)}`);
    const namespace = `pictures-${Date.now().toString(36)}`;
    const options = { timeouts: 'standard', throughProxy: false } as const;
    const rig = await createReleaseRig(stack, namespace, options);
    const entry = { url: stack.gatewayUrl ?? '', host: hostOf(namespace) };
    await routeToShop(stack, namespace);
    await rig.release({ release: 'first', objects: shopObjects('1') });
    for (const scene of scenes) {
      const seen = await play(rig, entry, scene);
      const name = `${scene.strategy}-${scene.kind}`;
      await writeFile(path.join(folder, `${name}.svg`), drawRelease(seen));
      yield figure({
        bench: 'pictures',
        metric: 'failed_requests',
        case: name,
        value: failedOf(seen, scene),
        unit: 'requests',
        target: 0,
      });
    }
    await rig.close();
  } finally {
    await sandboxDown(levelTwoState);
  }
}
