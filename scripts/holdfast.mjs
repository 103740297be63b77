#!/usr/bin/env node
// The `holdfast` command: from the sources in a checkout, from `dist` in an installed package.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from './launch.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'client', 'cli', 'main.ts');
const args = process.argv.slice(2);

if (!existsSync(source)) {
  launch({ root, command: 'node', args: [path.join(root, 'dist/client/cli/main.js'), ...args] });
} else {
  const { installDependencies } = await import('./install.mjs');
  if (await installDependencies(root)) {
    launch({ root, command: 'node', args: [source, ...args] });
  } else {
    process.exitCode = 69;
  }
}
