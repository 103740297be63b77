export interface LayerResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What the reader has to know beyond the numbers: a skip's reason, why nothing ran. */
  readonly remarks: readonly string[];
  /** Tests that passed, as `FILE: NAME` with the file below test/; absent where nothing is named. */
  readonly passedTests?: readonly string[];
  /** Tests that this machine cannot run and that say why, in the same way. */
  readonly excusedTests?: readonly string[];
}

/** The parts of jest's `--json` report that are counted. */
export interface JestReport {
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly fullName: string;
    }[];
  }[];
}

const SKIP_REASON = /\[skipped: ([^\]]+)\]/;

/** The result of one check that holds or does not. */
export function checkResult(ok: boolean, remarks: readonly string[]): LayerResult {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, remarks };
}

/**
 * Counts a report. A skip without a reason, which a forgotten `only` also causes, and a `todo` are
 * failures: nobody would notice them otherwise. A test file that could not be loaded counts as one.
 */
export function jestResult(report: JestReport): LayerResult {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const notRun = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const excused = notRun.filter(({ fullName }) => SKIP_REASON.test(fullName));
  const unexcused = notRun.filter(({ fullName }) => !SKIP_REASON.test(fullName));
  const count = (wanted: string): number => tests.filter(({ status }) => status === wanted).length;
  return {
    passed: count('passed'),
    failed: count('failed') + unexcused.length + report.numRuntimeErrorTestSuites,
    skipped: excused.length,
    remarks: [
      ...reasons(excused),
      ...unexcused.map(({ fullName }) => `not run and no reason given: ${fullName}`),
    ],
    passedTests: namesOf(report, ({ status }) => status === 'passed'),
    excusedTests: namesOf(report, (found) => excused.includes(found)),
  };
}

type FoundTest = JestReport['testResults'][number]['assertionResults'][number];

function namesOf({ testResults }: JestReport, isMeant: (test: FoundTest) => boolean): string[] {
  return testResults.flatMap(({ name, assertionResults }) => {
    const file = name.replace(/^.*\/test\//, '').replace(/\.test\.ts$/, '');
    return assertionResults.filter(isMeant).map(({ title }) => `${file}: ${title}`);
  });
}

function reasons(skipped: readonly { readonly fullName: string }[]): string[] {
  const counts = new Map<string, number>();
  for (const { fullName } of skipped) {
    const reason = SKIP_REASON.exec(fullName)?.[1] ?? '';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} skipped: ${reason}`);
}

const KILL_SUMMARY = /^points: (\d+) shown, (\d+) hit, (\d+) identical$/m;

/**
 * Reads the last lines of the kill matrix. A point passes when it was hit and its run ended like the
 * undisturbed one; a point that the audit log shows and nothing hit is a failure.
 */
export function killResult(stdout: string, ok: boolean): LayerResult {
  const summary = KILL_SUMMARY.exec(stdout);
  const [shown, hit, identical] = (summary?.slice(1) ?? ['0', '0', '0']).map(Number) as [
    number,
    number,
    number,
  ];
  const passed = Math.min(hit, identical);
  const failed = shown - passed;
  return {
    passed,
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: 0,
    remarks: summary === null ? ['no line "points: N shown, N hit, N identical" was printed'] : [],
  };
}

/** A layer that finds nothing to run would otherwise stay green for ever. */
export function requireTests(result: LayerResult): LayerResult {
  if (result.passed + result.failed + result.skipped > 0) return result;
  return { ...result, failed: 1, remarks: [...result.remarks, 'this layer has no tests'] };
}

/** Where every layer can run, a skip means that the machine or the test is broken. */
export function forbidSkips(result: LayerResult): LayerResult {
  if (result.skipped === 0) return result;
  return {
    ...result,
    failed: result.failed + result.skipped,
    skipped: 0,
    remarks: [...result.remarks, 'skips are failures here: CI as root on Linux can run everything'],
  };
}

export function sum(results: readonly LayerResult[]): LayerResult {
  const total = (pick: (result: LayerResult) => number): number =>
    results.reduce((before, result) => before + pick(result), 0);
  return {
    passed: total(({ passed }) => passed),
    failed: total(({ failed }) => failed),
    skipped: total(({ skipped }) => skipped),
    remarks: [],
  };
}

export function counts({ passed, failed, skipped }: LayerResult): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
