import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { loadWorkflowBundle } from '../../../workers/bundle.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a bundle that cannot seal the texts of errors is refused where they are to be sealed', async () => {
  const file = path.join(folder, 'old-bundle.js');
  writeFileSync(file, 'var __TEMPORAL__;');
  expect(await loadWorkflowBundle(file, { sealFailures: false })).toEqual({ codePath: file });
  await expect(loadWorkflowBundle(file, { sealFailures: true })).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    problems: [expect.stringContaining('HOLDFAST_WORKFLOW_BUNDLE')],
  });
});
