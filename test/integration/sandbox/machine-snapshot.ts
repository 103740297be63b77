/** Everything of the machine that a node may change, for comparison. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

const SETTINGS = [
  'net/ipv4/ip_forward',
  'net/bridge/bridge-nf-call-iptables',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

const PLACES = [
  '/run/holdfast',
  '/run/containerd',
  '/run/netns',
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/lib/containerd',
  '/var/log/containers',
  '/var/log/pods',
  '/etc/cni',
  '/opt/cni',
  '/opt/containerd',
];

export function machineSnapshot(): Record<string, unknown> {
  return {
    settings: Object.fromEntries(SETTINGS.map((name) => [name, setting(name)])),
    links: readdirSync('/sys/class/net').sort(),
    addresses: Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    ),
    routes: readFileSync('/proc/net/route', 'utf8').trim().split('\n').map(routeKey).sort(),
    packetTables: output('nft', ['list', 'tables']),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n').map(mountPoint),
    networkNamespaces: output('lsns', ['--type', 'net', '--output', 'TYPE', '--noheadings']),
    podCgroups: podCgroups(),
    nodeProcesses: nodeProcesses(),
    places: Object.fromEntries(PLACES.map((path) => [path, contents(path)])),
  };
}

function setting(name: string): string | undefined {
  const path = `/proc/sys/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

function routeKey(line: string): string {
  const [device, destination, gateway] = line.split('\t');
  return [device, destination, gateway].join(' ');
}

function mountPoint(line: string): string {
  return line.split(' ')[4] ?? '';
}

function podCgroups(): string[] {
  const hierarchies = readdirSync('/sys/fs/cgroup');
  return ['', ...hierarchies]
    .map((name) => `/sys/fs/cgroup/${name}/kubepods`)
    .filter((path) => existsSync(path));
}

/** Programs of a node and of its pods, without those that have ended and await their parent. */
function nodeProcesses(): string[] {
  const listed = execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' });
  return listed
    .split('\n')
    .filter((line) => !/^[ZX]/.test(line))
    .filter((line) => /\/run\/holdfast|kubelet --|kube-proxy --|^\S+\s+\/shop\b/.test(line))
    .filter((line) => !/kube-apiserver/.test(line));
}

function contents(path: string): readonly string[] | undefined {
  return existsSync(path) ? readdirSync(path).sort() : undefined;
}

function output(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8' });
  } catch (error) {
    return String(error);
  }
}
