// Built-ins only: this file runs on whatever Node the machine has, before anything is installed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { withInstallLock } from './install-lock.mjs';

/** @typedef {Record<string, { version?: string, optional?: boolean }>} LockedPackages */

const PROGRESS_INTERVAL_MS = 5_000;

/**
 * Brings node_modules in line with package-lock.json when it is not. Returns false when npm failed;
 * npm has then said why.
 * @param {string} root
 * @returns {Promise<boolean>}
 */
export async function installDependencies(root) {
  if (isInstalled(root)) return true;
  return withInstallLock(root, async () => isInstalled(root) || (await runNpmCi(root)));
}

/**
 * npm writes node_modules/.package-lock.json as the last act of an install, so an interrupted one
 * leaves none, and comparing it with the lock file needs no stamp of our own. Optional packages are
 * left out: most of them belong to other platforms.
 * @param {string} root
 */
export function isInstalled(root) {
  const installed = lockedPackages(path.join(root, 'node_modules', '.package-lock.json'));
  const wanted = lockedPackages(path.join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([location, entry]) =>
      location === '' || entry.optional === true || installed[location]?.version === entry.version,
  );
}

/**
 * @param {string} file
 * @returns {LockedPackages | undefined}
 */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} root
 * @returns {Promise<boolean>}
 */
async function runNpmCi(root) {
  const startedAt = Date.now();
  const total = Object.keys(lockedPackages(path.join(root, 'package-lock.json')) ?? {}).length;
  console.error(
    `installing ${String(total)} packages into node_modules (about 750 MB; a minute or two the first time)`,
  );
  const progress = setInterval(() => {
    reportProgress(startedAt);
  }, PROGRESS_INTERVAL_MS);
  try {
    const code = await npmCi(root);
    clearProgressLine();
    if (code !== 0) {
      console.error(
        `npm ci ended with exit code ${String(code)}; node_modules is incomplete and nothing was started. ` +
          'Repair what npm names above, then run the same command again.',
      );
      return false;
    }
    return true;
  } finally {
    clearInterval(progress);
  }
}

/**
 * npm runs on the Node that runs npm, never on the one inside node_modules that it is replacing.
 * Development packages are asked for by name because NODE_ENV=production would leave them out.
 * @param {string} root
 * @returns {Promise<number>}
 */
function npmCi(root) {
  const npmScript = process.env['npm_execpath'];
  const npmNode = process.env['npm_node_execpath'] ?? process.execPath;
  const [command, first] =
    npmScript?.endsWith('npm-cli.js') === true ? [npmNode, [npmScript]] : ['npm', []];
  const flags = ['--ignore-scripts', '--include=dev', '--include=optional', '--no-progress'];
  return new Promise((resolve) => {
    const child = spawn(command, [...first, 'ci', ...flags, '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    child.once('error', (error) => {
      console.error(`could not start npm: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

/** @param {number} startedAt */
function reportProgress(startedAt) {
  const line = `installing: ${seconds(startedAt)} s`;
  if (process.stderr.isTTY) process.stderr.write(`\r${line}`);
  else console.error(line);
}

function clearProgressLine() {
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
}

/** @param {number} startedAt */
function seconds(startedAt) {
  return ((Date.now() - startedAt) / 1_000).toFixed(0);
}
