import { startPrometheus, sandboxDown } from '../sandbox/index.ts';
import type { Stack } from '../test/kill/release-rig.ts';
import { levelTwoState, startReleaseStack } from '../test/setup/release-stack.ts';
import { figure, median, type Figure } from './figure.ts';
import { createArgoRolloutsSide } from './peers/argo-rollouts/argo-rollouts-side.ts';
import { openCluster } from './progressive/cluster-calls.ts';
import { startExportedMetrics } from './progressive/exported-metrics.ts';
import { createHoldfastSide } from './progressive/holdfast-side.ts';
import { failureCases, playAll, type RunFigures, type Stage } from './progressive/scenarios.ts';
import type { Side } from './progressive/side.ts';

/** Odd, so that the median is a run that happened. */
const usualRounds = 5;
/** Of what the peer needs. */
const targetShare = 0.5;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Sides {
  ours: Stage;
  theirs: Stage;
}

const createSides = async (stack: Stack, closing: (() => unknown)[]): Promise<Sides> => {
  const run = Date.now().toString(36);
  const names = (prefix: string): { canary: string; blueGreen: string } => ({
    canary: `${prefix}-canary-${run}`,
    blueGreen: `${prefix}-flip-${run}`,
  });
  const [holdfast, argo] = [names('holdfast'), names('argo')];
  const targets = [holdfast.canary, holdfast.blueGreen, argo.canary, argo.blueGreen];
  const metrics = await startExportedMetrics(targets);
  closing.push(() => metrics.close());
  const { url: prometheusUrl } = await startPrometheus({
    stateDirectory: levelTwoState,
    scrapes: [{ job: 'users', targets: [metrics.address] }],
    scrapeEveryMs: 250,
    onProgress: ({ message }) => {
      say(message);
    },
  });
  const cluster = openCluster(stack);
  closing.push(() => {
    cluster.close();
  });
  const options = { stack, cluster, prometheusUrl };
  const stageOf = async (side: Side): Promise<Stage> => {
    closing.push(() => side.close());
    return { side, metrics, running: { canary: '1', blueGreen: '1' } };
  };
  const theirs = await stageOf(await createArgoRolloutsSide({ ...options, namespaces: argo }));
  const ours = await stageOf(await createHoldfastSide({ ...options, namespaces: holdfast }));
  return { ours, theirs };
};

interface Runs {
  ours: RunFigures[];
  theirs: RunFigures[];
}

const playRounds = async ({ ours, theirs }: Sides, rounds: number): Promise<Runs> => {
  const runs: Runs = { ours: [], theirs: [] };
  for (let round = 1; round <= rounds; round += 1) {
    runs.theirs.push(await playAll(theirs));
    runs.ours.push(await playAll(ours));
    say(`round ${String(round)}, ${theirs.side.name}: ${JSON.stringify(runs.theirs.at(-1))}`);
    say(`round ${String(round)}, ${ours.side.name}: ${JSON.stringify(runs.ours.at(-1))}`);
  }
  return runs;
};

const durations = [
  { metric: 'overhead_total_ms', of: (run: RunFigures) => run.overheadTotalMs, hasTarget: true },
  {
    metric: 'overhead_per_step_ms',
    of: (run: RunFigures) => run.overheadPerStepMs,
    hasTarget: true,
  },
  { metric: 'time_to_safe_ms', of: (run: RunFigures) => run.timeToSafeMs, hasTarget: true },
  { metric: 'takeover_ms', of: (run: RunFigures) => run.takeoverMs, hasTarget: false },
];

function* figuresOf({ ours, theirs }: Runs, peer: string): Generator<Figure> {
  const bench = 'progressive';
  for (const { metric, of, hasTarget } of durations) {
    const peerValue = median(theirs.map(of));
    const target = hasTarget ? { target: targetShare * peerValue } : {};
    yield figure({
      bench,
      metric,
      value: median(ours.map(of)),
      unit: 'ms',
      ...target,
      peer,
      peerValue,
    });
  }
  for (const name of failureCases) {
    const all = (runs: RunFigures[]): number =>
      runs.reduce((sum, { failedRequests }) => sum + failedRequests[name], 0);
    yield figure({
      bench,
      metric: 'failed_requests',
      case: name,
      value: all(ours),
      unit: 'requests',
      target: 0,
      peer,
      peerValue: all(theirs),
    });
  }
}

/**
 * Canary and blue-green beside Argo Rollouts: the same pods, queries and intervals on one cluster in
 * one run, taking turns. What is waited for by configuration is subtracted on both sides.
 */
export async function* measureProgressive(options: { rounds?: number }): AsyncGenerator<Figure> {
  const closing: (() => unknown)[] = [];
  try {
    const stack = await startReleaseStack(2, `bench-${String(process.pid)}`);
    say('The peer shifts traffic by its Traefik integration: the module of its Gateway API plugin');
    say(
      'is not available from the Go module proxy. Its blue-green uses the same HTTPRoute as ours.',
    );
    const sides = await createSides(stack, closing);
    const runs = await playRounds(sides, options.rounds ?? usualRounds);
    yield* figuresOf(runs, sides.theirs.side.name);
  } finally {
    for (const close of closing.toReversed()) await close();
    await sandboxDown(levelTwoState);
  }
}
