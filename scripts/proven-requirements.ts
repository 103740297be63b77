import type { LayerResult } from './layer-result.ts';

/** A test that docs/requirements.md names: its file below test/, and how its name begins. */
export interface NamedTest {
  readonly file: string;
  readonly name: string;
}

const NAMED_TEST = /`((?:unit|workflow|integration|e2e)\/[-a-z/]+): ([^`]+)`/g;

/** All tests that the page names. */
export function namedTests(page: string): NamedTest[] {
  return [...page.matchAll(NAMED_TEST)].map(([, file = '', name = '']) => ({ file, name }));
}

/** Tests of one run, as `FILE: NAME`. */
export interface RunTests {
  readonly passed: readonly string[];
  /** Not run, with a reason. */
  readonly excused: readonly string[];
}

/** Each named test against those of this run. */
export function provenRequirements(page: string, { passed, excused }: RunTests): LayerResult {
  const named = namedTests(page).map(({ file, name }) => `${file}: ${name}`);
  const isAmong = (tests: readonly string[], start: string): boolean =>
    tests.some((test) => test.startsWith(start));
  const open = named.filter((start) => !isAmong(passed, start));
  const skipped = open.filter((start) => isAmong(excused, start));
  const missing = open.filter((start) => !skipped.includes(start));
  return {
    passed: named.length - open.length,
    failed: missing.length + (named.length === 0 ? 1 : 0),
    skipped: skipped.length,
    remarks: [
      ...skipped.map((test) => `not proven here, it was skipped above: ${test}`),
      ...missing.map((test) => `named in docs/requirements.md, and did not pass: ${test}`),
    ],
  };
}
