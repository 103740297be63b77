// `npm test`: every layer in order of speed, and one line at the end that a machine can read.
//   npm test -- --layer unit,workflow     only these
//   npm test -- --long                    also what the normal run samples
import { parseArgs } from 'node:util';

import { counts, forbidSkips, sum } from './layer-result.ts';
import type { LayerResult } from './layer-result.ts';
import { LAYERS } from './layers.ts';
import type { Layer } from './layers.ts';
import { runLayer } from './run-layer.ts';

const { values } = parseArgs({
  options: { layer: { type: 'string' }, long: { type: 'boolean', default: false } },
});

const chosen = choose(values.layer);
if (chosen !== undefined) {
  if (values.long) process.env['HOLDFAST_LONG'] = '1';
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
  const lines: string[] = [];
  for (const layer of layers) {
    console.error(`\n── ${layer.name}`);
    const startedAtMs = performance.now();
    const result = judge(await runLayer(layer));
    results.push(result);
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
    const line = `${layer.name.padEnd(13)} ${counts(result)} in ${seconds} s`;
    console.error(line);
    lines.push(line, ...result.remarks.map((remark) => `              ${remark}`));
    // A signal has been passed on to the layer; the others would only start to be stopped again.
    if (process.exitCode === 130) break;
  }
  const total = sum(results);
  console.log(['', ...lines, `tests: ${counts(total)}`].join('\n'));
  if (total.failed > 0) process.exitCode ??= 1;
}

function judge(result: LayerResult): LayerResult {
  const canRunEverything =
    process.env['CI'] === 'true' && process.platform === 'linux' && process.getuid?.() === 0;
  return canRunEverything ? forbidSkips(result) : result;
}
