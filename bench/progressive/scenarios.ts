import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExportedMetrics } from './exported-metrics.ts';
import type { Asked, End, ReleasedShop, Side, Stop } from './side.ts';
import { startUserTraffic, type Answer, type UserTraffic } from './user-traffic.ts';

/** What one run of all scenarios measured on one side. */
export interface RunFigures {
  overheadTotalMs: number;
  overheadPerStepMs: number;
  takeoverMs: number;
  timeToSafeMs: number;
  failedRequests: Record<FailureCase, number>;
}

export const failureCases = ['canary', 'abort', 'worker kill', 'flip', 'flip-back'] as const;
export type FailureCase = (typeof failureCases)[number];

const perSecond = 200;
/** Longer than the window of the query, so that it has numbers from the beginning. */
const warmUpMs = 2_500;
/** So long the version must answer alone to count as having taken over. */
const aloneMs = 1_000;

const healthyStops: readonly Stop[] = [
  { weightPercent: 10, forMs: 3_000 },
  { weightPercent: 50, forMs: 3_000 },
];
const watchedMs = healthyStops.reduce((sum, { forMs }) => sum + forMs, 0);

/** Long enough for four measurements at the first stop. */
const badStops: readonly Stop[] = [
  { weightPercent: 10, forMs: 20_000 },
  { weightPercent: 50, forMs: 20_000 },
];
const badVersion = '3b';

/** The stages of one side, with the version that each of its services runs now. */
export interface Stage {
  side: Side;
  metrics: ExportedMetrics;
  running: { canary: string; blueGreen: string };
}

const otherVersion = (version: string): string => (version === '1' ? '2' : '1');

interface Play {
  shop: ReleasedShop;
  traffic: UserTraffic;
  from: string;
  to: string;
}

const failuresIn = (answers: readonly Answer[], isOwn: (answer: Answer) => boolean): number =>
  answers.filter((answer) => answer.failure !== undefined && !isOwn(answer)).length;

const healthyVersions = (): boolean => false;

/** Plays one scene under traffic; gives what it found and how many requests failed. */
const underTraffic = async <Found>(
  { metrics, side }: Stage,
  shop: ReleasedShop,
  scene: (traffic: UserTraffic) => Promise<Found>,
): Promise<{ found: Found; answers: readonly Answer[] }> => {
  metrics.begin(shop.namespace);
  const onAnswer = (answer: Answer): void => {
    metrics.count(shop.namespace, answer);
  };
  const traffic = startUserTraffic(shop.entry, { perSecond, onAnswer });
  try {
    await delay(warmUpMs);
    const found = await scene(traffic);
    return { found, answers: await traffic.stop() };
  } catch (error) {
    await traffic.stop();
    throw new Error(`${side.name} in ${shop.namespace}: ${String(error)}`, { cause: error });
  }
};

const expectEnd = async ({ ended }: Asked, wanted: End): Promise<void> => {
  const end = await ended;
  if (end !== wanted) throw new Error(`the release ended ${end} and not ${wanted}`);
};

const pollEveryMs = 25;

/** When the router was told each weight; runs until it is told to stop. */
const watchWeights = (shop: ReleasedShop): (() => Promise<{ atMs: number; weight: number }[]>) => {
  const changes: { atMs: number; weight: number }[] = [];
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      const weight = await shop.weightPercent();
      if (weight !== changes.at(-1)?.weight) changes.push({ atMs: performance.now(), weight });
      await delay(pollEveryMs);
    }
  })();
  return async () => {
    over.abort();
    await watching;
    return changes;
  };
};

interface HealthyCanary {
  overheadTotalMs: number;
  overheadPerStepMs: number;
  takeoverMs: number;
}

/** From the first stop's weight to the write that follows the last stop, less the stops. */
const perStepMs = (changes: readonly { atMs: number; weight: number }[]): number => {
  const [first, last] = [healthyStops[0], healthyStops.at(-1)].map((stop) =>
    changes.findIndex(({ weight }) => weight === stop?.weightPercent),
  );
  const [began, ended] = [changes[first ?? -1], changes[(last ?? -2) + 1]];
  if (began === undefined || ended === undefined || last === -1) {
    throw new Error(`the weights were ${changes.map(({ weight }) => String(weight)).join(', ')}`);
  }
  return (ended.atMs - began.atMs - watchedMs) / healthyStops.length;
};

const healthyCanary = async ({ shop, traffic, from, to }: Play): Promise<HealthyCanary> => {
  const weights = watchWeights(shop);
  const askedAtMs = performance.now();
  const asked = await shop.ask(to, healthyStops);
  await expectEnd(asked, 'deployed');
  const overheadTotalMs = performance.now() - askedAtMs - watchedMs;
  // A controller may call the release healthy just before it takes the weight back.
  await traffic.untilAlone(to, aloneMs);
  const changes = await weights();
  const lastOld = traffic.answers.findLast(({ version }) => version === from);
  return {
    overheadTotalMs,
    overheadPerStepMs: perStepMs(changes),
    takeoverMs: (lastOld?.atMs ?? Number.NaN) - askedAtMs - watchedMs,
  };
};

/** From the first scraped sample with a failure to the last answer of the bad version. */
const badCanary = async (play: Play, metrics: ExportedMetrics): Promise<number> => {
  const { shop, traffic, from } = play;
  const asked = await shop.ask(badVersion, badStops);
  await expectEnd(asked, 'put-back');
  await traffic.untilAlone(from, aloneMs);
  const firstBadAtMs = metrics.firstBadSampleAtMs(shop.namespace);
  const lastBad = traffic.answers.findLast(({ version }) => version === badVersion);
  if (firstBadAtMs === undefined || lastBad === undefined) {
    throw new Error('the bad version never answered');
  }
  await shop.settle(from);
  return lastBad.atMs - firstBadAtMs;
};

/** A good version is taken back in the middle, because somebody says so. */
const abortedCanary = async ({ shop, traffic, from, to }: Play): Promise<void> => {
  const asked = await shop.ask(to, badStops);
  await traffic.until(({ version }) => version === to);
  await asked.putBack();
  await expectEnd(asked, 'put-back');
  await traffic.untilAlone(from, aloneMs);
  await shop.settle(from);
};

/** What does the work is killed while two versions answer. */
const killedCanary = async (side: Side, { shop, traffic, to }: Play): Promise<void> => {
  const asked = await shop.ask(to, healthyStops);
  await traffic.until(({ version }) => version === to);
  side.crash();
  await expectEnd(asked, 'deployed');
  await traffic.untilAlone(to, aloneMs);
};

const flip = async ({ shop, traffic, to }: Play): Promise<void> => {
  const asked = await shop.ask(to, []);
  await traffic.untilAlone(to, aloneMs);
  await asked.finish();
  await expectEnd(asked, 'deployed');
  await traffic.untilAlone(to, aloneMs);
};

const flipBack = async ({ shop, traffic, from, to }: Play): Promise<void> => {
  const asked = await shop.ask(to, []);
  await traffic.untilAlone(to, aloneMs);
  await asked.putBack();
  await traffic.untilAlone(from, aloneMs);
  await asked.ended;
  await shop.settle(from);
  await traffic.untilAlone(from, aloneMs);
};

/** All scenarios once on one side. */
export const playAll = async (stage: Stage): Promise<RunFigures> => {
  const { side, metrics, running } = stage;
  const canaryPlay = (traffic: UserTraffic): Play => ({
    shop: side.canary,
    traffic,
    from: running.canary,
    to: otherVersion(running.canary),
  });
  const blueGreenPlay = (traffic: UserTraffic): Play => ({
    shop: side.blueGreen,
    traffic,
    from: running.blueGreen,
    to: otherVersion(running.blueGreen),
  });
  const onCanary = <Found>(scene: (play: Play) => Promise<Found>) =>
    underTraffic(stage, side.canary, (traffic) => scene(canaryPlay(traffic)));
  const onBlueGreen = <Found>(scene: (play: Play) => Promise<Found>) =>
    underTraffic(stage, side.blueGreen, (traffic) => scene(blueGreenPlay(traffic)));

  const healthy = await onCanary(healthyCanary);
  running.canary = otherVersion(running.canary);
  const bad = await onCanary((play) => badCanary(play, metrics));
  const aborted = await onCanary(abortedCanary);
  const killed = await onCanary((play) => killedCanary(side, play));
  running.canary = otherVersion(running.canary);
  const flipped = await onBlueGreen(flip);
  running.blueGreen = otherVersion(running.blueGreen);
  const flippedBack = await onBlueGreen(flipBack);

  const failed = ({ answers }: { answers: readonly Answer[] }): number =>
    failuresIn(answers, healthyVersions);
  // What the bad version answered itself is what was tried; every other failure counts.
  const besideBad = failuresIn(bad.answers, ({ version }) => version === badVersion);
  return {
    ...healthy.found,
    timeToSafeMs: bad.found,
    failedRequests: {
      canary: failed(healthy) + besideBad,
      abort: failed(aborted),
      'worker kill': failed(killed),
      flip: failed(flipped),
      'flip-back': failed(flippedBack),
    },
  };
};
