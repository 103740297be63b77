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

/** Each named test against those that passed in this run, as `FILE: NAME`. */
export function provenRequirements(page: string, passed: readonly string[]): LayerResult {
  const named = namedTests(page).map(({ file, name }) => `${file}: ${name}`);
  const missing = named.filter((start) => !passed.some((test) => test.startsWith(start)));
  return {
    passed: named.length - missing.length,
    failed: missing.length + (named.length === 0 ? 1 : 0),
    skipped: 0,
    remarks: missing.map((test) => `named in docs/requirements.md, and did not pass: ${test}`),
  };
}
