// `npm test`: every layer in order of speed, and one line at the end that a machine can read.
//   npm test -- --layer unit,workflow     only these
//   npm test -- --long                    also what the normal run samples
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { counts, forbidSkips, sum } from './layer-result.ts';
import type { LayerResult } from './layer-result.ts';
import { CHECKS_AT_A_TIME, LAYERS } from './layers.ts';
import type { Layer } from './layers.ts';
import { provenRequirements } from './proven-requirements.ts';
import { runCommand } from './run-command.ts';
import { runLayers } from './run-layers.ts';
import type { LayerRun } from './run-layers.ts';

const { values } = parseArgs({
  options: { layer: { type: 'string' }, long: { type: 'boolean', default: false } },
});

const root = path.dirname(import.meta.dirname);
const chosen = choose(values.layer);
if (chosen !== undefined) {
  if (values.long) process.env['HOLDFAST_LONG'] = '1';
  // Half of the start of a process is compiling what an earlier one has compiled.
  process.env['NODE_COMPILE_CACHE'] ??= path.join(root, '.holdfast', 'compile-cache');
  await runAll(chosen);
}

function choose(names: string | undefined): readonly Layer[] | undefined {
  if (names === undefined) return LAYERS;
  const wanted = names.split(',').map((name) => name.trim());
  const known = LAYERS.map(({ name }) => name);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length === 0) return LAYERS.filter(({ name }) => wanted.includes(name));
  console.error(`No layer is called ${unknown.join(', ')}; nothing was run.`);
  console.error(`Layers: ${known.join(', ')}`);
  process.exitCode = 2;
  return undefined;
}

async function runAll(layers: readonly Layer[]): Promise<void> {
  const results: LayerResult[] = [];
  const passed: string[] = [];
  const excused: string[] = [];
  const lines: string[] = [];
  const onStart = ({ name }: Layer): void => console.error(`\n── ${name}`);
  const onEnd = ({ layer, result: counted, seconds }: LayerRun): void => {
    const result = judge(counted);
    passed.push(...(result.passedTests ?? []));
    excused.push(...(result.excusedTests ?? []));
    tell(layer.name, result, seconds);
  };
  const tell = (name: string, result: LayerResult, seconds: string): void => {
    results.push(result);
    const line = `${name.padEnd(13)} ${counts(result)} in ${seconds} s`;
    console.error(line);
    lines.push(line, ...result.remarks.map((remark) => `              ${remark}`));
  };
  const isCheck = ({ kind }: Layer): boolean => kind === 'check';
  await runLayers(layers.filter(isCheck), CHECKS_AT_A_TIME, { onEnd });
  const others = layers.filter((layer) => !isCheck(layer));
  const runOthers = (): Promise<void> => runLayers(others, 1, { onStart, onEnd });
  if (others.some(({ name }) => name !== 'unit')) await withWorkflowBundle(runOthers);
  else await runOthers();
  // Only a run of everything can have run what the page names.
  if (layers.length === LAYERS.length) {
    const page = await readFile(path.join(root, 'docs', 'requirements.md'), 'utf8');
    tell('requirements', judge(provenRequirements(page, { passed, excused })), '0.0');
  }
  const total = sum(results);
  console.log(['', ...lines, `tests: ${counts(total)}`].join('\n'));
  if (total.failed > 0) process.exitCode ??= 1;
}

/** One bundle serves all layers; if there is none, each of them bundles and says why it cannot. */
async function withWorkflowBundle(run: () => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-test-'));
  const file = path.join(folder, 'workflow-bundle.js');
  try {
    const { ok } = await runCommand({
      command: ['node', 'workers/write-bundle.ts', file],
      stopAfterMs: 120_000,
    });
    if (ok) process.env['HOLDFAST_WORKFLOW_BUNDLE'] = file;
    await run();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function judge(result: LayerResult): LayerResult {
  const canRunEverything =
    process.env['CI'] === 'true' && process.platform === 'linux' && process.getuid?.() === 0;
  return canRunEverything ? forbidSkips(result) : result;
}
