/** What the machine has, read without changing it. */
import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { BRIDGE, NODE_ADDRESS } from './node-layout.ts';
import { commandDirectories } from './machine-command.ts';

/** Debian puts the plugins first, their upstream second. */
const CNI_DIRECTORIES = ['/usr/lib/cni', '/opt/cni/bin'];

/** Each package with the program that shows it is there, however it came. */
const PACKAGES: Readonly<Record<string, string>> = {
  containerd: 'ctr',
  runc: 'runc',
  nftables: 'nft',
  iptables: 'iptables',
};

export function missingPackages(): string[] {
  const programs = Object.entries(PACKAGES).filter(([, program]) => !isProgram(program));
  return [
    ...programs.map(([name]) => name),
    ...(cniDirectory() === undefined ? ['containernetworking-plugins'] : []),
  ];
}

/** The directory of the CNI plugins, if they are installed. */
export function cniDirectory(): string | undefined {
  return CNI_DIRECTORIES.find((directory) => existsSync(join(directory, 'bridge')));
}

/** The value of a kernel setting; none where this kernel does not have it. */
export function readSetting(name: string): string | undefined {
  try {
    return readFileSync(settingFile(name), 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

export function writeSetting(name: string, value: string): void {
  writeFileSync(settingFile(name), value);
}

/** Kernel settings as files (proc(5)); a name with dots is a path. */
function settingFile(name: string): string {
  return join('/proc/sys', name.replaceAll('.', '/'));
}

export function hasAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((entry) => entry.address === address),
  );
}

/**
 * Why this machine cannot run the real node for this user, in sentences that say
 * what to do; none when it can.
 */
export function levelTwoObstacles(): string[] {
  if (process.platform !== 'linux') {
    return [`Real pods need Linux; this is ${process.platform}.`];
  }
  const obstacles: string[] = [];
  if (process.getuid?.() !== 0) {
    obstacles.push('Real pods need root: containers, network links and packet rules are made.');
  }
  const missing = ['ip', 'flock'].filter((program) => !isProgram(program));
  if (missing.length > 0) {
    obstacles.push(`Not found: ${missing.join(', ')}. Install iproute2 and util-linux.`);
  }
  if (missingPackages().length > 0 && !isProgram('apt-get')) {
    const names = missingPackages().join(', ');
    obstacles.push(`Not found: ${names}. This is not Debian or Ubuntu: install them yourself.`);
  }
  return [...obstacles, ...missingCgroups()];
}

/** kubelet keeps account of pods through these controllers. */
const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids'];

function missingCgroups(): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
  const unified = mounts.find((line) => / \/sys\/fs\/cgroup cgroup2 /.test(line));
  const available =
    unified === undefined
      ? mounts.filter((line) => / cgroup /.test(line)).flatMap((line) => line.split(/[ ,]/))
      : readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  const missing = CONTROLLERS.filter((controller) => !available.includes(controller));
  return missing.length === 0
    ? []
    : [`The kernel offers no ${missing.join(', ')} cgroup controller here.`];
}

/** Others that use what the node would use. To be asked only while our own node is down. */
export async function occupants(): Promise<string[]> {
  const kubelets: string[] = [];
  for (const pid of await readdir('/proc')) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (/^([^\0]*\/)?(kubelet\0|[^\0]*kube-all[^\0/]*\0kubelet\0)/.test(line)) kubelets.push(pid);
  }
  const prefix = NODE_ADDRESS.split('.').slice(0, 2).join('.');
  const links = Object.entries(networkInterfaces())
    .filter(([name]) => name !== 'lo' && name !== BRIDGE)
    .filter(([, list]) => list?.some(({ address }) => address.startsWith(`${prefix}.`)));
  return [
    ...kubelets.map((pid) => `A kubelet runs on this machine already (process ${pid}).`),
    ...links.map(
      ([name]) => `The network ${prefix}.0.0/16, which pods would use, is in use on ${name}.`,
    ),
  ];
}

function isProgram(name: string): boolean {
  return commandDirectories().some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
