import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { checkResult, jestResult, killResult, requireTests } from './layer-result.ts';
import type { JestReport, LayerResult } from './layer-result.ts';
import type { Check, JestLayer, KillMatrix, Layer } from './layers.ts';
import { runCommand } from './run-command.ts';

/** `--long` runs what the limits of the normal lane have no room for. */
const LONG_FACTOR = 5;

const isLong = (): boolean => process.env['HOLDFAST_LONG'] === '1';

export async function runLayer(layer: Layer): Promise<LayerResult> {
  switch (layer.kind) {
    case 'check':
      return runCheck(layer);
    case 'jest':
      return requireTests(await runJest(layer));
    case 'kill':
      return requireTests(await runKillMatrix(layer));
  }
}

/** All commands run even when the first fails, so that one round shows every complaint. */
async function runCheck({ commands, stopAfterMs }: Check): Promise<LayerResult> {
  const remarks: string[] = [];
  let ok = true;
  for (const command of commands) {
    const result = await runCommand({ command, stopAfterMs, prints: 'at-its-end' });
    ok &&= result.ok;
    if (result.problem !== undefined) remarks.push(result.problem);
  }
  return checkResult(ok, remarks);
}

async function runJest({ name, filesAtATime, ...limits }: JestLayer): Promise<LayerResult> {
  const stopAfterMs = limits.stopAfterMs * (isLong() ? LONG_FACTOR : 1);
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-test-'));
  const report = path.join(folder, 'report.json');
  try {
    const { ok, problem } = await runCommand({
      command: [
        'node',
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
        ...[
          '--selectProjects',
          name,
          '--passWithNoTests',
          '--json',
          `--outputFile=${report}`,
          `--maxWorkers=${filesAtATime}`,
        ],
      ],
      stopAfterMs,
    });
    return withExitCode(await readReport(report), ok, problem);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readReport(file: string): Promise<LayerResult> {
  try {
    return jestResult(JSON.parse(await readFile(file, 'utf8')) as JestReport);
  } catch {
    return { passed: 0, failed: 0, skipped: 0, remarks: [] };
  }
}

/** Jest may fail without a failed test: a global set-up that threw, a killed process. */
function withExitCode(result: LayerResult, ok: boolean, problem: string | undefined): LayerResult {
  if (ok || result.failed > 0) return result;
  return {
    ...result,
    failed: 1,
    remarks: [...result.remarks, problem ?? 'jest failed; see above'],
  };
}

async function runKillMatrix(layer: KillMatrix): Promise<LayerResult> {
  const stopAfterMs = layer.stopAfterMs * (isLong() ? LONG_FACTOR : 1);
  // All kinds of fault at every point take three times as long: `--long`, or `npm run test:kill`.
  const sample = isLong() ? [] : ['--sample'];
  const { ok, stdout, problem } = await runCommand({
    command: ['node', 'test/kill/main.ts', ...sample],
    stopAfterMs,
  });
  const result = killResult(stdout, ok);
  return problem === undefined ? result : { ...result, remarks: [...result.remarks, problem] };
}
