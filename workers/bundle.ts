import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  type WorkflowBundleOption,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { StartError } from './start-error.ts';

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const pathOf = (module: string): string =>
  fileURLToPath(new URL(`../workflows/${module}${suffix}`, import.meta.url));

/** Bundles the workflows as the worker runs them. Takes one to two seconds. */
export const bundleWorkflows = (): Promise<WorkflowBundleWithSourceMap> =>
  bundleWorkflowCode({
    workflowsPath: pathOf('index'),
    failureConverterPath: pathOf('runtime/failure-converter'),
    logger: new DefaultLogger('WARN'),
  });

/** Writes the bundle to a file for `HOLDFAST_WORKFLOW_BUNDLE`. */
export const writeWorkflowBundle = async (file: string): Promise<void> => {
  const { code } = await bundleWorkflows();
  await writeFile(file, code);
};

/** Read by workflows/runtime/failure-converter.ts. */
const sealing = 'holdfastSealsFailures';

/**
 * The bundle for a worker: that of the file, or one made now. One bundle serves with and without a
 * key ring, because what is decided by the settings of a worker is put in front of its code.
 *
 * @throws StartError if errors are to be sealed and the bundle is from before it could do that
 */
export const loadWorkflowBundle = async (
  file: string | undefined,
  { sealFailures }: { sealFailures: boolean },
): Promise<WorkflowBundleOption> => {
  if (!sealFailures) return file === undefined ? bundleWorkflows() : { codePath: file };
  const code = file === undefined ? (await bundleWorkflows()).code : await readFile(file, 'utf8');
  if (!code.includes(sealing)) {
    throw new StartError('CONFIGURATION_INVALID', 'The worker was not started.', [
      `HOLDFAST_WORKFLOW_BUNDLE: ${String(file)} would leave the texts of errors open; bundle the workflows anew`,
    ]);
  }
  // On the first line, so that the source map still fits.
  return { code: `globalThis.${sealing}=true;${code}` };
};
