/** The one directory that holds everything of a sandbox, and where it is. */
import { createHash } from 'node:crypto';
import { access, constants, mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readSandboxSettings } from '../config.ts';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { PRIVATE_DIRECTORY_MODE } from './atomic-file.ts';

export interface StatePaths {
  readonly directory: string;
  /** What others read to find the running sandbox. */
  readonly description: string;
  readonly plan: string;
  readonly lock: string;
  readonly processes: string;
  readonly logs: string;
  readonly auditLog: string;
  readonly kubernetes: string;
  readonly temporal: string;
  readonly metrics: string;
  readonly postgres: string;
}

export function statePaths(directory: string): StatePaths {
  return {
    directory,
    description: join(directory, 'sandbox.json'),
    plan: join(directory, 'plan.json'),
    lock: join(directory, 'sandbox.lock'),
    processes: join(directory, 'processes'),
    logs: join(directory, 'logs'),
    auditLog: join(directory, 'audit', 'audit.log'),
    kubernetes: join(directory, 'kubernetes'),
    temporal: join(directory, 'temporal'),
    metrics: join(directory, 'metrics'),
    postgres: join(directory, 'postgres'),
  };
}

/**
 * The state directory to use: the one asked for, HOLDFAST_STATE_DIR, or
 * `.holdfast` of the checkout we are in. Where that one belongs to another user
 * (a run as root went before) a directory of our own is used instead, the same
 * for every command in that checkout; one that was asked for is never replaced.
 */
export async function resolveStateDirectory(
  options: { readonly asked?: string | undefined; readonly workingDirectory?: string } = {},
): Promise<string> {
  const settings = readSandboxSettings();
  const asked = options.asked ?? settings.stateDirectory;
  if (asked !== undefined) return resolve(asked);
  const root = await checkoutRoot(options.workingDirectory ?? process.cwd());
  const inCheckout = join(root, '.holdfast');
  if (await isUsable(inCheckout)) return inCheckout;
  const name = `${basename(root)}-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`;
  return join(settings.stateHome, 'holdfast', name);
}

/** Makes the directory, or says whose it is. */
export async function openStateDirectory(directory: string): Promise<StatePaths> {
  try {
    await mkdir(directory, { recursive: true, mode: PRIVATE_DIRECTORY_MODE });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SandboxError({
      code: 'SANDBOX_STATE_UNUSABLE',
      message: `The state directory ${directory} cannot be written by this user${await ownerText(directory)}. Nothing was started.`,
      next: 'Set HOLDFAST_STATE_DIR to a directory of your own, or remove the sandbox as its owner with `holdfast sandbox down`.',
      cause: error,
    });
  }
  return statePaths(directory);
}

async function ownerText(directory: string): Promise<string> {
  const status = await stat(directory).catch(() => undefined);
  if (status === undefined) return '';
  return status.uid === 0 ? ': it belongs to root' : `: it belongs to user ${status.uid}`;
}

async function isUsable(directory: string): Promise<boolean> {
  try {
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') return false;
  }
  return access(dirname(directory), constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function checkoutRoot(start: string): Promise<string> {
  let directory = resolve(start);
  for (;;) {
    if (await exists(join(directory, '.git'))) return directory;
    const parent = dirname(directory);
    if (parent === directory) return resolve(start);
    directory = parent;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
