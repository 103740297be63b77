// `npm run verify`: what can be said about the tree without running it.
import { CHECKS, CHECKS_AT_A_TIME } from './layers.ts';
import { runLayers } from './run-layers.ts';

const failed: string[] = [];
await runLayers(CHECKS, CHECKS_AT_A_TIME, {
  onEnd({ layer: { name }, result, seconds }) {
    const line = `${result.failed === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`;
    console.error([line, ...result.remarks].join('\n       '));
    if (result.failed > 0) failed.push(name);
  },
});
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
