// `npm run build`: the sources as JavaScript with declarations, for the package. A checkout needs no
// build; Node runs the sources.
import { rm } from 'node:fs/promises';
import path from 'node:path';

import { runCommand } from './run-command.ts';

const STOP_AFTER_MS = 5 * 60_000;

// A file that was deleted or renamed would otherwise live on in the package.
await rm(path.join(path.dirname(import.meta.dirname), 'dist'), { recursive: true, force: true });
const { ok, problem } = await runCommand({
  command: ['tsc', '-p', 'tsconfig.build.json'],
  stopAfterMs: STOP_AFTER_MS,
});
if (problem !== undefined) console.error(problem);
if (!ok) process.exitCode = 1;
