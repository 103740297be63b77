import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { writeWorkflowBundle } from '../../workers/bundle.ts';

let folder: string | undefined;

/**
 * Bundles the workflows once for all test files of a run and tells them the path in
 * HOLDFAST_WORKFLOW_BUNDLE; bundling takes longer than most of the tests that need it.
 */
export default async function bundleWorkflows(): Promise<void> {
  const workflows = path.resolve(import.meta.dirname, '../../workflows/index.ts');
  if (process.env['HOLDFAST_WORKFLOW_BUNDLE'] !== undefined || !existsSync(workflows)) return;
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-bundle-'));
  const file = path.join(folder, 'workflow-bundle.js');
  await writeWorkflowBundle(file);
  process.env['HOLDFAST_WORKFLOW_BUNDLE'] = file;
}

/** Removes what was bundled here, and nothing that came in through the environment. */
export const removeOwnBundle = async (): Promise<void> => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
};
