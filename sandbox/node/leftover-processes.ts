/** Ends the processes of pods. They are children of containerd's shims, not of ours. */
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { identifyProcess, isAlive } from '../state/process-identity.ts';
import type { ProcessIdentity } from '../state/process-identity.ts';
import { CONTAINERD_SOCKET } from './node-layout.ts';
import { podCgroups } from './pod-cgroups.ts';

const END_WITHIN_MS = 10_000;

/**
 * Ends shims first, because a shim that lives reports its container's end to a
 * containerd that is gone, then every process in a cgroup of a pod.
 */
export async function endPodProcesses(): Promise<void> {
  await endByForce(await shims());
  // A process that was being born while we looked is found the second time.
  for (let pids = await podPids(); pids.length > 0; pids = await podPids()) {
    const identities = await Promise.all(pids.map(identifyProcess));
    await endByForce(identities.filter((identity) => identity !== undefined));
  }
}

async function shims(): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const isOurs = words[0]?.includes('containerd-shim') && words.includes(CONTAINERD_SOCKET);
    const identity = isOurs === true ? await identifyProcess(Number(name)) : undefined;
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

async function podPids(): Promise<number[]> {
  const pids = new Set<number>();
  for (const cgroup of await podCgroups()) {
    const text = await readFile(`${cgroup}/cgroup.procs`, 'utf8').catch(() => '');
    for (const line of text.split('\n').filter((entry) => entry !== '')) pids.add(Number(line));
  }
  const identities = await Promise.all([...pids].map(identifyProcess));
  return identities.flatMap((identity) => (identity === undefined ? [] : [identity.pid]));
}

async function endByForce(processes: readonly ProcessIdentity[]): Promise<void> {
  for (const identity of processes) {
    if (await isAlive(identity)) kill(identity.pid);
  }
  const deadline = performance.now() + END_WITHIN_MS;
  for (;;) {
    const alive = await Promise.all(processes.map(isAlive));
    if (!alive.includes(true)) return;
    if (performance.now() > deadline) throw immortal(processes.filter((_, at) => alive[at]));
    await sleep(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

function immortal(processes: readonly ProcessIdentity[]): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_STOP_FAILED',
    message: `The processes ${processes.map(({ pid }) => pid).join(', ')} of pods do not end, not even by SIGKILL.`,
    next: 'Run `holdfast sandbox down` again.',
  });
}
