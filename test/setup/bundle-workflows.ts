import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

/**
 * Bundles the workflows once for all test files of a run and tells them the path in
 * HOLDFAST_WORKFLOW_BUNDLE; bundling takes longer than most of the tests that need it.
 */
export default async function bundleWorkflows(): Promise<void> {
  const workflowsPath = path.resolve(import.meta.dirname, '../../workflows/index.ts');
  if (process.env['HOLDFAST_WORKFLOW_BUNDLE'] !== undefined || !existsSync(workflowsPath)) return;
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-bundle-'));
  const file = path.join(folder, 'workflow-bundle.js');
  await writeFile(file, code);
  process.env['HOLDFAST_WORKFLOW_BUNDLE'] = file;
}
