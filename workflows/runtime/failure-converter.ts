// Part of the bundle by its path; see workers/bundle.ts.
import { DefaultFailureConverter } from '@temporalio/common';

/**
 * Texts and stacks of errors become payloads where the worker seals payloads, which it says before
 * the bundle is loaded. It may differ from run to run and worker to worker: the texts of errors are
 * no part of what a replay compares.
 */
export const failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: Reflect.get(globalThis, 'holdfastSealsFailures') === true,
});
