// `npm run verify`: what can be said about the tree without running it.
import { CHECKS } from './layers.ts';
import { runCheck } from './run-layer.ts';

const failed: string[] = [];
for (const check of CHECKS) {
  const startedAtMs = performance.now();
  const { failed: failures, remarks } = await runCheck(check);
  const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1);
  console.error(
    [`${failures === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`, ...remarks].join(
      '\n       ',
    ),
  );
  if (failures > 0) failed.push(check.name);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
