/** What earlier runs have left: directories of other users, dead processes, locks, taken ports. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { SandboxError } from '../sandbox-error.ts';
import { sandboxStatus } from '../sandbox-status.ts';
import { sandboxUp } from '../sandbox-up.ts';
import { readFileIfPresent } from '../state/atomic-file.ts';
import { statePaths } from '../state/directory.ts';
import { isPortFree } from '../state/ports.ts';
import { isAlive } from '../state/process-identity.ts';
import type { LockHolder } from '../state/lock.ts';
import { readDevelopmentSettings } from '../temporal/development-settings.ts';
import { toolsDirectory } from '../tools/locate.ts';
import type { DoctorCheck } from './check.ts';

export async function checkSandboxState(
  stateDirectory: string,
  options: { readonly repair: boolean },
): Promise<readonly DoctorCheck[]> {
  return [
    await checkWritable('state-directory', stateDirectory, 'HOLDFAST_STATE_DIR'),
    await checkWritable('cache-directory', toolsDirectory(), 'XDG_CACHE_HOME'),
    await checkLock(stateDirectory),
    await checkProcesses(stateDirectory, options),
    await checkFixedPorts(stateDirectory),
  ];
}

async function checkWritable(id: string, path: string, variable: string): Promise<DoctorCheck> {
  const nearest = await nearestExisting(path);
  try {
    await access(nearest, constants.W_OK);
    return { id, verdict: 'ok', evidence: path };
  } catch {
    const { uid } = await stat(nearest);
    return {
      id,
      verdict: 'missing',
      evidence: `${nearest} belongs to ${uid === 0 ? 'root' : `user ${uid}`} and cannot be written`,
      fix: `Set ${variable} to a directory of your own, or give ${nearest} to this user.`,
    };
  }
}

async function checkLock(stateDirectory: string): Promise<DoctorCheck> {
  const path = statePaths(stateDirectory).lock;
  const text = await readFileIfPresent(path).catch(() => undefined);
  if (text === undefined) return { id: 'lock', verdict: 'ok', evidence: 'nobody is at work' };
  const holder = JSON.parse(text) as LockHolder;
  if (await isAlive(holder)) {
    return { id: 'lock', verdict: 'ok', evidence: `process ${holder.pid} is ${holder.purpose}` };
  }
  return {
    id: 'lock',
    verdict: 'warning',
    evidence: `process ${holder.pid}, which was ${holder.purpose}, has died`,
    fix: 'Nothing: the next command takes its lock over.',
  };
}

async function checkProcesses(
  stateDirectory: string,
  options: { readonly repair: boolean },
): Promise<DoctorCheck> {
  const { state, processes, sandbox } = await sandboxStatus(stateDirectory);
  const id = 'sandbox';
  if (state === 'absent') return { id, verdict: 'ok', evidence: 'no sandbox is up' };
  if (state === 'running') {
    return { id, verdict: 'ok', evidence: `level ${sandbox?.level ?? '?'} is up` };
  }
  const dead = processes.filter(({ running }) => !running).map(({ name }) => name);
  const evidence =
    dead.length === 0 ? 'its start did not come to an end' : `dead: ${dead.join(', ')}`;
  if (options.repair) {
    // Its level is settled, so nothing of the machine is changed that was not agreed to.
    await sandboxUp({
      level: 'auto',
      stateDirectory,
      confirm: async () => Promise.resolve(false),
      onProgress: () => undefined,
    });
    return { id, verdict: 'repaired', evidence };
  }
  return {
    id,
    verdict: 'warning',
    evidence,
    fix: 'Run `holdfast sandbox up` to repair it or `holdfast sandbox down` to remove it.',
  };
}

/** Ports that temporal-dev.yaml fixes; a running sandbox of ours may of course hold them. */
async function checkFixedPorts(stateDirectory: string): Promise<DoctorCheck> {
  const id = 'ports';
  const { state } = await sandboxStatus(stateDirectory);
  if (state === 'running') return { id, verdict: 'ok', evidence: 'in use by the sandbox' };
  try {
    const { server } = await readDevelopmentSettings(join(packageRoot(), 'temporal-dev.yaml'));
    const fixed = [server.port, server.uiPort].filter((port) => port !== 'auto');
    const free = await Promise.all(fixed.map(isPortFree));
    const taken = fixed.filter((_, index) => free[index] === false);
    if (taken.length > 0) {
      const fix = 'End the process that uses it, or set the port to auto in temporal-dev.yaml.';
      return { id, verdict: 'missing', evidence: `in use: ${taken.join(', ')}`, fix };
    }
    const evidence = fixed.length === 0 ? 'chosen free at start' : `free: ${fixed.join(', ')}`;
    return { id, verdict: 'ok', evidence };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return { id, verdict: 'missing', evidence: error.message, fix: error.next };
  }
}

async function nearestExisting(path: string): Promise<string> {
  return access(path).then(
    () => path,
    async () => nearestExisting(dirname(path)),
  );
}
