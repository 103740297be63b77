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
import { createReleaseLane, type ReleaseLane, type Stack } from './release-lane.ts';

export interface MatrixReport {
  /** Write points that the audit log shows in undisturbed runs, times the kinds of fault on each. */
  shown: number;
  /** Cases whose fault was met by the run. */
  hit: number;
  /** Cases that ended exactly as the undisturbed run, with no step taking effect twice. */
  identical: number;
  problems: string[];
}

export interface MatrixOptions {
  stack: Stack;
  /** Releases that run at the same time, each in a lane of its own. */
  parallel: number;
  /** Every point with one kind of fault in turn, in place of every kind. */
  sample: boolean;
  scenarios: readonly Scenario[];
  onProgress: (line: string) => void;
}

/** A lane and the namespaces that are left for it. */
interface Track {
  lane: ReleaseLane;
  namespaces: string[];
}

interface Case {
  scenario: Scenario;
  fault: Fault;
  calm: Undisturbed;
}

/** More than any lane plays; an environment that nobody uses costs one line of a file. */
const namespacesPerLane = 200;

const createTrack = async (stack: Stack, name: string): Promise<Track> => {
  const namespaces = Array.from(
    { length: namespacesPerLane },
    (_, index) => `${name}-${String(index)}`,
  );
  const lane = await createReleaseLane(stack, {
    name,
    environments: namespaces,
    timeouts: 'test',
    throughProxy: true,
  });
  return { lane, namespaces };
};

const takeNamespace = ({ lane, namespaces }: Track): string => {
  const namespace = namespaces.shift();
  if (namespace === undefined) throw new Error(`no namespace is left for ${lane.name}`);
  return namespace;
};

/** Each track takes the next piece of work as soon as it is free. */
const shareOut = async <T>(
  tracks: readonly Track[],
  work: readonly T[],
  play: (track: Track, piece: T) => Promise<void>,
): Promise<void> => {
  const queue = [...work];
  await Promise.all(
    tracks.map(async (track) => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await play(track, next);
      }
    }),
  );
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const verdictWord = ({ problems }: CaseVerdict): string =>
  problems.length === 0 ? 'identical' : 'DIFFERENT';

interface Matrix {
  options: MatrixOptions;
  reader: ApiReader;
  tracks: readonly Track[];
  report: MatrixReport;
}

/** Plays every scenario undisturbed; its writes are the points of the cases. */
const learnCases = async ({ options, reader, tracks, report }: Matrix): Promise<Case[]> => {
  const cases: Case[] = [];
  await shareOut(tracks, options.scenarios, async (track, scenario) => {
    const namespace = takeNamespace(track);
    const calm = await playUndisturbed({ lane: track.lane, reader, scenario, namespace });
    report.problems.push(...calm.problems.map((text) => `${scenario.name}, undisturbed: ${text}`));
    options.onProgress(`${scenario.name}: ${String(calm.points.length)} writes`);
    for (const [index, point] of calm.points.entries()) {
      const turn = faultKinds[index % faultKinds.length];
      const kinds = options.sample && turn !== undefined ? [turn] : faultKinds;
      cases.push(...kinds.map((kind) => ({ scenario, fault: { point, kind }, calm })));
    }
  });
  return cases;
};

const examine = async (
  { options, reader, report }: Matrix,
  track: Track,
  { scenario, fault, calm }: Case,
): Promise<void> => {
  const namespace = takeNamespace(track);
  const title = `${namespace} ${scenario.name}: ${fault.kind} at ${fault.point}`;
  try {
    const disturbed = { lane: track.lane, reader, scenario, namespace };
    const verdict = await playDisturbed(disturbed, fault, calm);
    if (verdict.hit) report.hit += 1;
    else verdict.problems.push('the fault was never met');
    if (verdict.problems.length === 0) report.identical += 1;
    report.problems.push(...verdict.problems.map((text) => `${title}: ${text}`));
    options.onProgress([`${verdictWord(verdict)} ${title}`, ...verdict.problems].join('\n  '));
  } catch (error) {
    report.problems.push(`${title}: ${textOf(error)}`);
    options.onProgress(`FAILED ${title}: ${textOf(error)}`);
  }
};

/** Every write point of every scenario, with every kind of fault or, in a sample, with one. */
export const runMatrix = async (options: MatrixOptions): Promise<MatrixReport> => {
  const { stack, parallel } = options;
  // The cluster may have seen another matrix, and its namespaces stay.
  const run = Date.now().toString(36);
  const names = Array.from({ length: parallel }, (_, index) => `kill-${run}-${String(index)}`);
  const tracks = await Promise.all(names.map((name) => createTrack(stack, name)));
  const reader = createApiReader(stack.kubeconfigPath, stack.context);
  const report: MatrixReport = { shown: 0, hit: 0, identical: 0, problems: [] };
  const matrix: Matrix = { options, reader, tracks, report };
  try {
    const cases = await learnCases(matrix);
    report.shown = cases.length;
    await shareOut(tracks, cases, (track, piece) => examine(matrix, track, piece));
  } finally {
    reader.close();
    await Promise.all(tracks.map(({ lane }) => lane.close()));
  }
  return report;
};
