import { createApiReader, type ApiReader } from '../e2e/checker/api-reader.ts';
import {
  faultKinds,
  playDisturbed,
  playUndisturbed,
  type CaseVerdict,
  type Fault,
  type Scenario,
  type Undisturbed,
} from './kill-matrix.ts';
import type { Stack } from './release-lane.ts';
import { openTracks, type Place, type ReleaseTracks } from './release-tracks.ts';
import type { WritePoint } from './write-points.ts';

export interface MatrixReport {
  /** Write points that the audit log shows in undisturbed runs, times the kinds of fault on each. */
  shown: number;
  /** Faults that were met by a run. */
  hit: number;
  /** Faults whose run ended exactly as the undisturbed one, with no step taking effect twice. */
  identical: number;
  problems: string[];
}

export interface MatrixOptions {
  stack: Stack;
  /** Releases that run at the same time, each in a lane of its own. */
  parallel: number;
  /**
   * One kind of fault in turn, in place of every kind, at every write of what ends deployed and
   * at every write of the way back of what does not; each run meets a few of them.
   */
  sample: boolean;
  scenarios: readonly Scenario[];
  onProgress: (line: string) => void;
}

/** One run and the faults that it meets on its way. */
interface Case {
  scenario: Scenario;
  faults: readonly Fault[];
  calm: Undisturbed;
}

/** The failure of a workflow says what happened only in its cause. */
const textOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
};

const verdictWord = ({ problems }: CaseVerdict): string =>
  problems.length === 0 ? 'identical' : 'DIFFERENT';

interface Matrix {
  options: MatrixOptions;
  reader: ApiReader;
  tracks: ReleaseTracks;
  report: MatrixReport;
}

/**
 * What is put back was first written as in another scenario, where every write is a point of the
 * sample: here the sample begins with the last two writes before the way back.
 */
const sampledPoints = (
  { outcome }: Scenario,
  points: readonly WritePoint[],
): readonly WritePoint[] => {
  if (outcome === 'deployed') return points;
  const firstBack = points.findIndex((point) => point.includes('releases.revert'));
  return points.slice(Math.max(0, firstBack - 2));
};

/** Plays the scenario undisturbed; its writes are the points of its cases. */
const learnCases = async (
  { options, reader, tracks, report }: Matrix,
  scenario: Scenario,
): Promise<Case[]> => {
  const calm = await tracks.use((place) => playUndisturbed({ ...place, reader, scenario }));
  report.problems.push(...calm.problems.map((text) => `${scenario.name}, undisturbed: ${text}`));
  options.onProgress(`${scenario.name}: ${String(calm.points.length)} writes`);
  const points = options.sample ? sampledPoints(scenario, calm.points) : calm.points;
  const faults = options.sample ? inTurn(points) : everyKind(points);
  const shared = options.sample ? farApart(faults) : faults.map((fault) => [fault]);
  return shared.map((together) => ({ scenario, faults: together, calm }));
};

const everyKind = (points: readonly WritePoint[]): Fault[] =>
  points.flatMap((point) => faultKinds.map((kind) => ({ point, kind })));

const inTurn = (points: readonly WritePoint[]): Fault[] =>
  points.map((point, index) => ({
    point,
    kind: faultKinds[index % faultKinds.length] ?? 'kill-before',
  }));

const faultsOfARun = 3;

/** Each run gets faults from the beginning, the middle and the end. */
const farApart = (faults: readonly Fault[]): Fault[][] => {
  const runs = Math.ceil(faults.length / faultsOfARun);
  return Array.from({ length: runs }, (_, run) =>
    faults.filter((_fault, index) => index % runs === run),
  );
};

const examine = async (
  { options, reader, report }: Matrix,
  place: Place,
  { scenario, faults, calm }: Case,
): Promise<void> => {
  const met = faults.map(({ kind, point }) => `${kind} at ${point}`).join(', ');
  const title = `${place.namespace} ${scenario.name}: ${met}`;
  try {
    const verdict = await playDisturbed({ ...place, reader, scenario }, faults, calm);
    report.hit += verdict.hit;
    if (verdict.problems.length === 0) report.identical += faults.length;
    report.problems.push(...verdict.problems.map((text) => `${title}: ${text}`));
    options.onProgress([`${verdictWord(verdict)} ${title}`, ...verdict.problems].join('\n  '));
  } catch (error) {
    report.problems.push(`${title}: ${textOf(error)}`);
    options.onProgress(`FAILED ${title}: ${textOf(error)}`);
  }
};

const examineScenario = async (matrix: Matrix, scenario: Scenario): Promise<void> => {
  const cases = await learnCases(matrix, scenario);
  matrix.report.shown += cases.flatMap(({ faults }) => faults).length;
  await Promise.all(
    cases.map((piece) => matrix.tracks.use((place) => examine(matrix, place, piece))),
  );
};

/** Every write point of every scenario, with every kind of fault or, in a sample, with one. */
export const runMatrix = async (options: MatrixOptions): Promise<MatrixReport> => {
  const { stack, parallel, scenarios } = options;
  const tracks = await openTracks(stack, { name: 'kill', lanes: parallel });
  const reader = createApiReader(stack.kubeconfigPath, stack.context);
  const report: MatrixReport = { shown: 0, hit: 0, identical: 0, problems: [] };
  const matrix: Matrix = { options, reader, tracks, report };
  try {
    await Promise.all(scenarios.map((scenario) => examineScenario(matrix, scenario)));
  } finally {
    reader.close();
    await tracks.close();
  }
  return report;
};
