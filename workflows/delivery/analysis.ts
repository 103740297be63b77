import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { Measurement } from '../../activities/metrics/port.ts';
import type { AnalysisInput } from '../../contracts/delivery/analysis.ts';
import { verdictOnTally } from '../../domain/delivery/analysis-verdict.ts';
import type { AnalysisResult } from '../../domain/delivery/analysis-verdict.ts';
import { combineVerdicts } from '../../domain/delivery/combined-verdict.ts';
import { lookAt } from '../../domain/delivery/compared-series.ts';
import type { Look } from '../../domain/delivery/compared-series.ts';
import type { GateResult } from '../../domain/delivery/gate.ts';
import { addMeasurement, emptyMeasurementTally } from '../../domain/delivery/measurement-tally.ts';
import type { MeasurementTally } from '../../domain/delivery/measurement-tally.ts';
import { filledIn } from '../../domain/delivery/metric-query.ts';
import type { QueryNames } from '../../domain/delivery/metric-query.ts';
import { evenLooks } from '../../domain/statistics/sequential-boundary.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import type { ReleaseRun } from './release-run.ts';

type Metric = AnalysisInput['metrics'][number];
type MeasuredMetric = Extract<Metric, { query: string }>;
type ComparedMetric = Extract<Metric, { compare: string }>;

/** One watch of the new version and the metrics that accompany it. */
export interface AnalysisTask {
  run: ReleaseRun;
  /** The gate. */
  name: string;
  forMs: number;
  metrics: readonly Metric[];
  names: QueryNames;
  /** Looks at each metric; where nobody says, as many as it asks for and the history bears. */
  mostLooks?: number | undefined;
}

/** Metrics that are measured in the background of a watch. */
export interface Analysis {
  /** Settles only when a metric proves a failure; nothing else ends a watch early. */
  failure(): Promise<GateResult>;
  /** The verdict when the watch is over, after a last look. */
  end(): Promise<GateResult>;
  /** One line for each metric, also for those without a say. */
  rows(): GateResult[];
}

/** More measurements than this in one watch would fill the history; the gaps grow instead. */
const mostMeasurements = 60;

interface Watched {
  readonly metric: Metric;
  readonly gapMs: number;
  tally: MeasurementTally;
  looks: Look[];
}

export const openAnalysis = (task: AnalysisTask): Analysis => {
  const { mostLooks = mostMeasurements } = task;
  const startMs = Date.now();
  const watched = task.metrics.map((metric): Watched => ({
    metric,
    gapMs: Math.max(metric.intervalMs, Math.ceil(task.forMs / mostLooks)),
    tally: emptyMeasurementTally,
    looks: [],
  }));
  const verdicts = (ended: boolean) => watched.map((one) => verdictOf(one, ended));
  const failed = (): boolean => combineVerdicts(verdicts(false)).verdict === 'fail';
  return {
    failure: async () => {
      const loops = watched.map(async (one) => {
        for (;;) {
          await sleep(one.gapMs, { summary: `next look at ${one.metric.name}` });
          await measure(task, one, startMs);
          if (failed()) return;
        }
      });
      await Promise.race(loops);
      return resultOf(task.name, verdicts(false));
    },
    end: async () => {
      const unseen = watched.filter((one) => !isMeasured(one) || 'compare' in one.metric);
      await Promise.all(unseen.map((one) => measure(task, one, startMs)));
      return resultOf(task.name, verdicts(true));
    },
    rows: () => verdicts(true).map((verdict) => rowOf(task.name, verdict)),
  };
};

const isMeasured = ({ tally, looks }: Watched): boolean =>
  looks.length > 0 || tally.success + tally.failed + tally.inconclusive > 0;

const measure = async (task: AnalysisTask, watched: Watched, startMs: number): Promise<void> => {
  const { metric } = watched;
  if ('compare' in metric) {
    const { gapMs, looks } = watched;
    const look = await compare(task, { metric, startMs, made: looks.length, gapMs });
    watched.looks.push(look);
    return;
  }
  const { state } = await measureOnce(task, metric);
  watched.tally = addMeasurement(watched.tally, { state });
};

const measureOnce = async (
  { run, names }: AnalysisTask,
  { name, query, successCondition, failureCondition }: MeasuredMetric,
): Promise<Pick<Measurement, 'state'>> => {
  const { environment } = run.input;
  try {
    return await run.ports.measurements.measure(
      {
        environment,
        query: filledIn(query, names),
        ...(successCondition === undefined ? {} : { successCondition }),
        ...(failureCondition === undefined ? {} : { failureCondition }),
      },
      { summary: `measure ${name}` },
    );
  } catch (error) {
    if (isCancellation(error)) throw error;
    run.note(`${name} was not measured: ${codedErrorOf(error).message}`);
    return { state: 'error' };
  }
};

interface Comparison {
  metric: ComparedMetric;
  startMs: number;
  made: number;
  /** The gap that is kept, which in a long watch is more than the interval that was asked for. */
  gapMs: number;
}

const compare = async (
  task: AnalysisTask,
  { metric, startMs, made, gapMs }: Comparison,
): Promise<Look> => {
  const [control, experiment] = await Promise.all([
    seriesOf(task, metric, { workload: task.names.stable, startMs }),
    seriesOf(task, metric, { workload: task.names.candidate, startMs }),
  ]);
  const planned = Math.max(made + 1, Math.ceil(task.forMs / gapMs));
  return lookAt(metric, { control, experiment }, evenLooks(made + 1, planned));
};

/** Numbers of one workload since the watch began; none where the source gave none. */
const seriesOf = async (
  { run, names }: AnalysisTask,
  { name, compare: query, stepMs }: ComparedMetric,
  { workload, startMs }: { workload: string; startMs: number },
): Promise<number[]> => {
  const { environment } = run.input;
  const asked = filledIn(query, { ...names, workload });
  try {
    const outcome = await run.ports.metrics.queryRange(
      { environment, query: asked, startMs, endMs: Date.now(), stepMs },
      { summary: `${name} of ${workload}` },
    );
    if (outcome.state === 'no-data') return [];
    return outcome.series.flatMap(({ values }) => values.filter((value) => value !== null));
  } catch (error) {
    if (isCancellation(error)) throw error;
    run.note(`${name} of ${workload} was not measured: ${codedErrorOf(error).message}`);
    return [];
  }
};

type Verdict = Pick<AnalysisResult, 'verdict' | 'note'> & {
  metric: string;
  dryRun: boolean;
  samples: number;
  failures: number;
};

const verdictOf = (watched: Watched, ended: boolean): Verdict => {
  const { metric, tally, looks } = watched;
  const about = { metric: metric.name, dryRun: metric.dryRun };
  if ('compare' in metric) return { ...about, ...verdictOnLooks(looks, ended) };
  const { verdict, note } = verdictOnTally({ tally, limits: metric, ended });
  const samples = tally.success + tally.failed + tally.inconclusive;
  return { ...about, verdict, note, samples, failures: tally.failed };
};

const verdictOnLooks = (
  looks: readonly Look[],
  ended: boolean,
): Pick<Verdict, 'verdict' | 'note' | 'samples' | 'failures'> => {
  const worse = looks.find(({ state }) => state === 'worse');
  const last = worse ?? looks.at(-1);
  const { note = 'no look was possible', samples = 0 } = last ?? {};
  if (worse !== undefined) return { verdict: 'fail', note, samples, failures: 1 };
  if (!ended) return { verdict: 'running', note, samples, failures: 0 };
  const verdict = last?.state === 'not-worse' ? 'pass' : 'inconclusive';
  return { verdict, note, samples, failures: 0 };
};

const gateVerdicts = {
  pass: 'pass',
  fail: 'fail',
  inconclusive: 'inconclusive',
  error: 'inconclusive',
  running: 'inconclusive',
} as const;

const resultOf = (name: string, verdicts: readonly Verdict[]): GateResult => {
  const combined = combineVerdicts(verdicts);
  const deciding = verdicts.filter(({ metric }) => combined.decidedBy.includes(metric));
  return {
    name,
    verdict: gateVerdicts[combined.verdict],
    note: deciding.map(({ metric, note }) => `${metric}: ${note}`).join('; '),
    samples: deciding.reduce((sum, { samples }) => sum + samples, 0),
    failures: deciding.reduce((sum, { failures }) => sum + failures, 0),
    decidedBy: [...combined.decidedBy],
  };
};

const rowOf = (
  gate: string,
  { metric, verdict, note, dryRun, ...counts }: Verdict,
): GateResult => ({
  name: `${gate}: ${metric}`,
  verdict: gateVerdicts[verdict],
  note: dryRun ? `dry run, ${note}` : note,
  ...counts,
});

/**
 * Watches traffic and metrics side by side. Whatever fails first ends the watch; the metrics
 * have their say when it is over.
 */
export const watchedWithMetrics = async (
  task: AnalysisTask,
  watchTraffic: () => Promise<GateResult>,
): Promise<{ result: GateResult; rows: GateResult[] }> => {
  const analysis = openAnalysis(task);
  const scope = new CancellationScope({ cancellable: true });
  const first = await scope.run(async () => {
    try {
      return await Promise.race([
        watchTraffic().then((traffic) => ({ traffic })),
        analysis.failure().then((failed) => ({ failed })),
      ]);
    } finally {
      scope.cancel();
    }
  });
  if ('failed' in first) return { result: first.failed, rows: analysis.rows() };
  const { traffic } = first;
  if (traffic.verdict === 'fail' || traffic.verdict === 'no-data') {
    return { result: traffic, rows: analysis.rows() };
  }
  const verdict = await analysis.end();
  return { result: joined(traffic, verdict), rows: analysis.rows() };
};

/** Both must pass; requests that cannot be sent here leave the decision to the metrics. */
const joined = (traffic: GateResult, metrics: GateResult): GateResult =>
  metrics.verdict === 'pass' && traffic.verdict !== 'not-measured'
    ? { ...traffic, note: `${traffic.note}; ${metrics.note}` }
    : metrics;
