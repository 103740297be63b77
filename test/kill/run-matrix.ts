import {
  faultKinds,
  playDisturbed,
  playUndisturbed,
  scenarios,
  type Case,
  type CaseVerdict,
  type Undisturbed,
} from './kill-matrix.ts';
import type { Stack } from './release-rig.ts';

export interface MatrixReport {
  /** Write points that the audit log shows in undisturbed runs, times the kinds of fault. */
  shown: number;
  /** Cases whose fault was met by the run. */
  hit: number;
  /** Cases that ended exactly as the undisturbed run, with no step taking effect twice. */
  identical: number;
  problems: string[];
}

export interface MatrixOptions {
  stack: Stack;
  /** Releases that run at the same time. */
  parallel: number;
  onProgress: (line: string) => void;
}

const runInParallel = async (count: number, work: (() => Promise<void>)[]): Promise<void> => {
  const queue = [...work];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
  };
  await Promise.all(Array.from({ length: count }, lane));
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const verdictWord = ({ problems }: CaseVerdict): string =>
  problems.length === 0 ? 'identical' : 'DIFFERENT';

/** Every write point of every scenario, with every kind of fault. */
export const runMatrix = async (options: MatrixOptions): Promise<MatrixReport> => {
  const { stack } = options;
  // The cluster may have seen another matrix, and its namespaces stay.
  const run = Date.now().toString(36);
  const report: MatrixReport = { shown: 0, hit: 0, identical: 0, problems: [] };
  const cases: { test: Case; calm: Undisturbed }[] = [];

  const learn = async (scenario: (typeof scenarios)[number]): Promise<void> => {
    const name = `${scenario.name}-${run}-calm`;
    const calm = await playUndisturbed({ stack, scenario, name });
    report.problems.push(...calm.problems.map((text) => `${scenario.name}, undisturbed: ${text}`));
    options.onProgress(`${scenario.name}: ${String(calm.points.length)} writes`);
    for (const point of calm.points) {
      for (const kind of faultKinds) {
        const name = `${scenario.name}-${run}-${String(cases.length)}`;
        cases.push({ test: { stack, scenario, point, kind, name }, calm });
      }
    }
  };
  await runInParallel(
    options.parallel,
    scenarios.map((scenario) => () => learn(scenario)),
  );
  report.shown = cases.length;

  const examine = async ({ test, calm }: (typeof cases)[number]): Promise<void> => {
    const title = `${test.name} ${test.kind} at ${test.point}`;
    try {
      const verdict = await playDisturbed(test, calm);
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
  await runInParallel(
    options.parallel,
    cases.map((entry) => () => examine(entry)),
  );
  return report;
};
