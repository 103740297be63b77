// Built-ins only: this file runs on whatever Node the machine has, before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import path from 'node:path';

/**
 * @typedef {object} LaunchOptions
 * @property {string} root folder whose `node_modules/.bin` comes first on PATH
 * @property {string} command executable; `node` means the Node that this project brings
 * @property {readonly string[]} args
 */

const MINIMUM_NODE_MAJOR = 24;

/**
 * The Node to run the product on: the one that npm installed beside the dependencies, else the
 * machine's own when it is new enough.
 * @param {string} root
 * @returns {string | undefined}
 */
export function projectNode(root) {
  const installed = installedNode(root);
  if (installed !== undefined) return installed;
  const major = Number.parseInt(process.versions.node, 10);
  return major >= MINIMUM_NODE_MAJOR ? process.execPath : undefined;
}

/**
 * @param {string} root
 * @returns {string | undefined}
 */
function installedNode(root) {
  const packageName = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(path.join(root, 'package.json')).resolve(
      `${packageName}/package.json`,
    );
    const executable = path.join(path.dirname(manifest), 'bin', 'node');
    return existsSync(executable) ? executable : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs the command in the foreground and ends this process the way the command ended.
 * @param {LaunchOptions} options
 */
export function launch({ root, command, args }) {
  const executable = command === 'node' ? projectNode(root) : command;
  if (executable === undefined) {
    console.error(
      `Holdfast needs Node ${String(MINIMUM_NODE_MAJOR)}; this is ${process.versions.node} and no Node package exists for ` +
        `${process.platform}-${process.arch}. Nothing was started. Install Node ${String(MINIMUM_NODE_MAJOR)} and run this again.`,
    );
    process.exitCode = 78;
    return;
  }
  const child = spawn(executable, args, { stdio: 'inherit', env: environment(root) });
  const stopForwarding = forwardSignals(child);
  child.once('error', (error) => {
    stopForwarding();
    console.error(`Could not start ${command}: ${error.message}`);
    process.exitCode = 127;
  });
  child.once('exit', (code, signal) => {
    stopForwarding();
    if (signal === null) process.exitCode = code ?? 1;
    else endBySignal(signal);
  });
}

/**
 * The folder of the installed Node goes first by itself: npm 10 leaves `node` out of
 * node_modules/.bin when the lock file also names the Node package of another platform.
 * @param {string} root
 */
function environment(root) {
  const node = installedNode(root);
  const folders = [
    ...(node === undefined ? [] : [path.dirname(node)]),
    path.join(root, 'node_modules', '.bin'),
    process.env['PATH'] ?? '',
  ];
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

/**
 * A terminal delivers Ctrl-C to the whole process group, so the command has it already; a second
 * SIGINT would be read as "stop at once". Only a signal sent to this process alone is passed on.
 * @param {import('node:child_process').ChildProcess} child
 */
function forwardSignals(child) {
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const handlers = signals.map((signal) => {
    const handler = () => {
      if (signal !== 'SIGINT' || !terminal) child.kill(signal);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}

/** @param {NodeJS.Signals} signal */
function endBySignal(signal) {
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
}
