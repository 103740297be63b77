import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { sandboxDown } from '../sandbox/index.ts';
import { createApiReader, type ApiReader } from '../test/e2e/checker/api-reader.ts';
import { createReleaseLane, type ReleaseLane } from '../test/kill/release-lane.ts';
import type { WorkerProcess } from '../test/kill/worker-process.ts';
import { levelOneState, startReleaseStack } from '../test/setup/release-stack.ts';
import { problemsOf } from './concurrent/invariants.ts';
import {
  createServices,
  prepareRelease,
  releaseFirst,
  type EndedRelease,
  type ReleasedService,
} from './concurrent/released-service.ts';
import { limitCores, watchMemory } from './concurrent/worker-memory.ts';
import { figure, median, type Figure } from './figure.ts';

const usualReleases = 50;
const manyWorkers = 4;
/** Longer than any attempt of a step, so that whoever wakes finds the others gone on. */
const frozenMs = 45_000;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Round {
  name: string;
  lane: ReleaseLane;
  workers: readonly WorkerProcess[];
  services: readonly ReleasedService[];
  reader: ApiReader;
}

interface Measured {
  runsPerMinute: number;
  historyEvents: number;
  residentMegabytes: number;
}

/** Starts all releases at the same time, and checks each when all have ended. */
const releaseAll = async (round: Round, meanwhile: () => Promise<void>): Promise<Measured> => {
  const { name, workers, services, reader } = round;
  const ready: (() => Promise<EndedRelease[]>)[] = [];
  for (const service of services) ready.push(await prepareRelease(service, reader));
  const mostMemory = watchMemory(workers);
  const startedAt = performance.now();
  const disturbed = meanwhile();
  const ended = await allEnded(ready);
  const minutes = (performance.now() - startedAt) / 60_000;
  const residentMegabytes = mostMemory();
  await disturbed;
  say(`${name}: ${String(ended.length)} releases in ${(minutes * 60).toFixed(1)} s`);
  await refuseProblems(round, ended);
  return {
    runsPerMinute: ended.length / minutes,
    historyEvents: median(await historyLengths(round, ended)),
    residentMegabytes,
  };
};

/** All of them, also where one fails: the others still use the cluster. */
const allEnded = async (
  ready: readonly (() => Promise<EndedRelease[]>)[],
): Promise<EndedRelease[]> => {
  const settled = await Promise.allSettled(ready.map((release) => release()));
  const failures = settled.flatMap((one): unknown[] =>
    one.status === 'rejected' ? [one.reason] : [],
  );
  if (failures.length > 0) throw new AggregateError(failures, 'releases ended with an error');
  return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
};

const refuseProblems = async ({ name, reader }: Round, ended: EndedRelease[]): Promise<void> => {
  const problems: string[] = [];
  for (const release of ended) problems.push(...(await problemsOf(release, reader)));
  if (problems.length > 0) throw new Error(`${name}:\n${problems.join('\n')}`);
  say(`${name}: every release kept to I-2, I-3, I-5, I-10 and I-12`);
};

const historyLengths = async ({ lane }: Round, ended: EndedRelease[]): Promise<number[]> =>
  Promise.all(
    ended.map(async ({ workflowId }) => {
      const { historyLength } = await lane.client.workflow.getHandle(workflowId).describe();
      return historyLength;
    }),
  );

/** One worker dies and one stands still while it holds work: I-3 and I-4 under load. */
const disturb = async (workers: readonly WorkerProcess[]): Promise<void> => {
  const [, killed, frozen] = workers;
  await delay(4_000);
  killed?.crash();
  frozen?.freeze();
  await delay(frozenMs);
  frozen?.wake();
  // What it had begun it now tries to write, long after others have gone on.
  await delay(5_000);
};

const calm = (): Promise<void> => Promise.resolve();

const figuresOf = (situation: string, measured: Measured): Figure[] => {
  const about = { bench: 'concurrent', case: situation };
  return [
    figure({
      ...about,
      metric: 'runs_per_minute',
      value: measured.runsPerMinute,
      unit: 'runs/min',
    }),
    figure({
      ...about,
      metric: 'history_events',
      value: measured.historyEvents,
      unit: 'events',
      target: 2_000,
    }),
    figure({ ...about, metric: 'rss_mb', value: measured.residentMegabytes, unit: 'MB' }),
  ];
};

/** Fifty releases at the same time, good and bad, with one worker and with four. */
async function* measureOn(lane: ReleaseLane, namespaces: string[]): AsyncGenerator<Figure> {
  const reader = createApiReader(lane.stack.kubeconfigPath, lane.stack.context);
  const workers = [lane.worker];
  await limitCores(lane.worker);
  const services = await createServices(lane, namespaces);
  await Promise.all(services.map(releaseFirst));
  say(`${String(services.length)} services run their first version`);
  const round = { lane, workers, services, reader };
  const one = await releaseAll({ ...round, name: 'one worker' }, calm);
  yield* figuresOf('1 worker', one);
  while (workers.length < manyWorkers) workers.push(lane.addWorker());
  await Promise.all(workers.map(limitCores));
  await Promise.all(workers.map((worker) => worker.whenReady()));
  const many = await releaseAll({ ...round, name: 'four workers' }, calm);
  yield* figuresOf(`${String(manyWorkers)} workers`, many);
  await releaseAll({ ...round, name: 'one of four killed, one frozen' }, () => disturb(workers));
  reader.close();
}

export async function* measureConcurrent(options: { releases?: number }): AsyncGenerator<Figure> {
  const run = Date.now().toString(36);
  const stack = await startReleaseStack(1, `bench-concurrent-${run}`);
  const namespaces = Array.from(
    { length: options.releases ?? usualReleases },
    (_, index) => `bench-${run}-${String(index)}`,
  );
  const lane = await createReleaseLane(stack, {
    name: `bench-${run}`,
    environments: namespaces,
    timeouts: 'standard',
    throughProxy: false,
  });
  try {
    yield* measureOn(lane, namespaces);
  } finally {
    await lane.close();
    await sandboxDown(levelOneState);
  }
}
