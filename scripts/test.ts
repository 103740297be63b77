// `npm test`: every layer in order of speed, and one line at the end that a machine can read.
//   npm test -- --layer unit,workflow     only these
//   npm test -- --long                    also what the normal run samples
import { parseArgs } from 'node:util';

import { counts, forbidSkips, sum } from './layer-result.ts';
import type { LayerResult } from './layer-result.ts';
import { CHECKS_AT_A_TIME, LAYERS } from './layers.ts';
import type { Layer } from './layers.ts';
import { runLayers } from './run-layers.ts';
import type { LayerRun } from './run-layers.ts';

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
  const onStart = ({ name }: Layer): void => console.error(`\n── ${name}`);
  const onEnd = ({ layer, result: counted, seconds }: LayerRun): void => {
    const result = judge(counted);
    results.push(result);
    const line = `${layer.name.padEnd(13)} ${counts(result)} in ${seconds} s`;
    console.error(line);
    lines.push(line, ...result.remarks.map((remark) => `              ${remark}`));
  };
  const isCheck = ({ kind }: Layer): boolean => kind === 'check';
  await runLayers(layers.filter(isCheck), CHECKS_AT_A_TIME, { onEnd });
  const others = layers.filter((layer) => !isCheck(layer));
  await runLayers(others, 1, { onStart, onEnd });
  const total = sum(results);
  console.log(['', ...lines, `tests: ${counts(total)}`].join('\n'));
  if (total.failed > 0) process.exitCode ??= 1;
}

function judge(result: LayerResult): LayerResult {
  const canRunEverything =
    process.env['CI'] === 'true' && process.platform === 'linux' && process.getuid?.() === 0;
  return canRunEverything ? forbidSkips(result) : result;
}
