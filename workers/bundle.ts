import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';

const entry = import.meta.url.endsWith('.ts') ? '../workflows/index.ts' : '../workflows/index.js';

/** Bundles the workflows as the worker runs them. Takes one to two seconds. */
export const bundleWorkflows = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL(entry, import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });

/** Writes the bundle to a file for `HOLDFAST_WORKFLOW_BUNDLE`. */
export const writeWorkflowBundle = async (file: string): Promise<void> => {
  const { code } = await bundleWorkflows();
  await writeFile(file, code);
};
