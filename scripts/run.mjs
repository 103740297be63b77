// `node scripts/run.mjs COMMAND ARGS…`: install what is missing, then run the command on the
// project's own Node. One process for both steps, because a shell that has resolved `node` once
// keeps using the old one, and because `pre` scripts are dropped where npm ignores scripts.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { installDependencies } from './install.mjs';
import { launch } from './launch.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const [command, ...args] = process.argv.slice(2);

if (command === undefined) {
  console.error('usage: node scripts/run.mjs COMMAND [ARGUMENT…]');
  process.exitCode = 2;
} else if (await installDependencies(root)) {
  launch({ root, command, args });
} else {
  process.exitCode = 69;
}
