import { describe } from '@jest/globals';

/**
 * A `describe` that this machine may not be able to run. A reason skips it and stands in its title,
 * where the test report finds and prints it; a skip without a reason fails the run.
 *
 * @example
 * describeUnless(isRoot ? undefined : 'needs root for network namespaces', 'level 2', () => {});
 */
export function describeUnless(reason: string | undefined, title: string, cases: () => void): void {
  if (reason === undefined) describe(title, cases);
  else describe.skip(`${title} [skipped: ${reason}]`, cases);
}
