// Built-ins only: this file runs on whatever Node the machine has, before anything is installed.
import { closeSync, mkdirSync, openSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const HEARTBEAT_MS = 1_000;
// A holder renews the file every second; fifteen missed renewals mean that it died. Age is used
// instead of a process id because a checkout may be shared between containers.
const STALE_AFTER_MS = 15_000;

/**
 * Runs `work` while no other process installs into the same checkout. The lock lives outside
 * node_modules because `npm ci` empties that folder first.
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withInstallLock(root, work) {
  const file = path.join(root, '.holdfast', 'install.lock');
  mkdirSync(path.dirname(file), { recursive: true });
  await acquire(file);
  const heartbeat = setInterval(() => {
    renew(file);
  }, HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    rmSync(file, { force: true });
  }
}

/** @param {string} file */
async function acquire(file) {
  let told = false;
  while (!create(file)) {
    if (isStale(file) && removeStale(file)) continue;
    if (!told) console.error('another process is installing the dependencies; waiting for it');
    told = true;
    await delay(HEARTBEAT_MS);
  }
}

/** @param {string} file */
function create(file) {
  try {
    closeSync(openSync(file, 'wx'));
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** @param {string} file */
function renew(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    // A machine that slept longer than the limit may find its lock taken; npm's own files decide then.
    if (!isCode(error, 'ENOENT')) throw error;
  }
}

/** @param {string} file */
function isStale(file) {
  try {
    return Date.now() - statSync(file).mtimeMs > STALE_AFTER_MS;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/**
 * Two waiters may see the same dead lock. Only the one that holds the second file may remove it,
 * and only after looking again; otherwise the slower one would remove the faster one's new lock.
 * @param {string} file
 */
function removeStale(file) {
  const guard = `${file}.removal`;
  if (!create(guard)) {
    if (isStale(guard)) rmSync(guard, { force: true });
    return false;
  }
  try {
    if (isStale(file)) rmSync(file, { force: true });
    return true;
  } finally {
    rmSync(guard, { force: true });
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function isCode(error, code) {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
