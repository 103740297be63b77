/** Removes the node from the machine, whatever of it is still there and whoever was killed. */
import { readFile, readdir, readlink, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { statePaths } from '../state/directory.ts';
import { createProcessSupervisor } from '../state/processes.ts';
import { GATEWAY_PROCESS } from '../gateway/start-gateway.ts';
import { undoHostChanges } from './host-changes.ts';
import { endPodProcesses } from './leftover-processes.ts';
import { levelTwoHolder, releaseLevelTwo } from './level-two-lock.ts';
import {
  ADDRESS_LEASES,
  CNI_CACHE,
  CNI_NETWORK,
  CONTAINERD_SOCKET,
  CONTAINER_LOG_LINKS,
  MACHINE_DIRECTORY,
  RUNC_STATE,
  nodePaths,
} from './node-layout.ts';
import type { NodePaths } from './node-layout.ts';
import { removeLinks, removePacketRules } from './packet-rules.ts';
import { removePodCgroups } from './pod-cgroups.ts';
import { succeeds } from './machine-command.ts';
import { CONTAINERD, KUBELET, KUBE_PROXY } from './start-node.ts';

/** containerd puts the sockets of its shims here whatever its own directories are. */
const SHIM_SOCKETS = '/run/containerd/s';

/**
 * Leaves the machine alone where another sandbox has its node, or nobody has:
 * the lock is given up last, so without it nothing of ours is left but files.
 * To be called while holding the machine.
 */
export async function tearDownNode(stateDirectory: string): Promise<void> {
  const paths = nodePaths(stateDirectory);
  const processes = createProcessSupervisor(statePaths(stateDirectory));
  await processes.stop(GATEWAY_PROCESS);
  await processes.stop(KUBELET);
  await Promise.all([processes.stop(KUBE_PROXY), processes.stop(CONTAINERD)]);
  const holder = await levelTwoHolder();
  if (holder?.stateDirectory === stateDirectory) await clearMachine(paths);
  await rm(join(stateDirectory, 'gateway'), { recursive: true, force: true });
  await removeNodeDirectory(paths);
  await undoHostChanges(stateDirectory);
  await releaseLevelTwo(stateDirectory);
}

/** What restarts or mounts things is ended before anything is unmounted or removed. */
async function clearMachine(paths: NodePaths): Promise<void> {
  await endPodProcesses();
  await unmountBelow([paths.directory, MACHINE_DIRECTORY]);
  await Promise.all([removeFiles(paths), removeLinks(), removePacketRules(), removePodCgroups()]);
}

/** Deletes nothing below which something is mounted: a volume may be a directory of the user. */
async function removeNodeDirectory(paths: NodePaths): Promise<void> {
  await unmountBelow([paths.directory]);
  await rm(paths.directory, { recursive: true, force: true });
}

async function unmountBelow(directories: readonly string[]): Promise<void> {
  // The last mounted first: mounts lie on one another.
  for (const path of (await mountsBelow(directories)).reverse()) {
    if (!(await succeeds('umount', [path]))) {
      // Busy, or gone together with another one.
      await succeeds('umount', ['--lazy', path]);
    }
  }
  const left = await mountsBelow(directories);
  if (left.length === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_STOP_FAILED',
    message: `Still mounted: ${left.join(', ')}. Nothing below was deleted.`,
    next: 'Unmount them and run `holdfast sandbox down` again.',
  });
}

async function mountsBelow(directories: readonly string[]): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const points = lines.map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, octal));
  return points.filter((point) => directories.some((parent) => point.startsWith(`${parent}/`)));
}

/** mountinfo writes spaces and the like as three octal digits (proc(5)). */
function octal(_: string, digits: string): string {
  return String.fromCharCode(parseInt(digits, 8));
}

async function removeFiles(paths: NodePaths): Promise<void> {
  await removeShimSockets(join(paths.containerdState, 'io.containerd.runtime.v2.task', 'k8s.io'));
  await removeMatching(CONTAINER_LOG_LINKS, async (path) =>
    (await readlink(path)).startsWith(`${paths.podLogs}/`),
  );
  await removeMatching(join(CNI_CACHE, 'results'), (path) =>
    basename(path).startsWith(`${CNI_NETWORK}-`),
  );
  const machine = [paths.containerdState, CONTAINERD_SOCKET, `${CONTAINERD_SOCKET}.ttrpc`];
  for (const path of [...machine, ADDRESS_LEASES, RUNC_STATE]) {
    await rm(path, { recursive: true, force: true });
  }
}

/** Others may have files in the same directory. */
async function removeMatching(
  directory: string,
  isOurs: (path: string) => boolean | Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(directory).catch(ignoreMissing)) {
    const path = join(directory, name);
    if (await isOurs(path)) await rm(path);
  }
}

/** A shim notes its socket in the directory of its task and removes neither when it is killed. */
async function removeShimSockets(tasks: string): Promise<void> {
  for (const task of await readdir(tasks).catch(ignoreMissing)) {
    const address = await readFile(join(tasks, task, 'address'), 'utf8').catch(() => '');
    const socket = address.replace(/^unix:\/\//, '');
    if (socket.startsWith(`${SHIM_SOCKETS}/`)) await rm(socket, { force: true });
  }
  for (const directory of [SHIM_SOCKETS, '/run/containerd']) {
    // Another containerd of the machine may have its own there.
    await rmdir(directory).catch(() => undefined);
  }
}

function ignoreMissing(error: unknown): [] {
  if (systemErrorCode(error) === 'ENOENT') return [];
  throw error;
}
