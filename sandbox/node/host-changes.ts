/**
 * What the node needs of the machine beyond its own files: computed from what is
 * missing, told before it is done, recorded before it is done, undone by `down`.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { HostChange } from '../node-layer.ts';
import type { RecordedChange } from './host-change-record.ts';
import { readRecordedChanges, recordChange, writeRecordedChanges } from './host-change-record.ts';
import { hasAddress, missingPackages, readSetting, writeSetting } from './machine-facts.ts';
import { BRIDGE, FIXED_DIRECTORIES, NODE_ADDRESS, PACKET_TABLE } from './node-layout.ts';
import { run } from './machine-command.ts';

/** Kernel settings that pods and kubelet need; kubelet refuses to run with others. */
const SETTINGS: readonly {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
}[] = [
  { name: 'net.ipv4.ip_forward', value: '1', reason: 'packets pass between pods and the machine' },
  {
    name: 'net.bridge.bridge-nf-call-iptables',
    value: '1',
    reason: 'a pod reaches another one through a Service',
  },
  { name: 'vm.overcommit_memory', value: '1', reason: 'kubelet requires it' },
  { name: 'vm.panic_on_oom', value: '0', reason: 'kubelet requires it' },
  { name: 'kernel.panic', value: '10', reason: 'kubelet requires it' },
  { name: 'kernel.panic_on_oops', value: '1', reason: 'kubelet requires it' },
  { name: 'kernel.keys.root_maxkeys', value: '1000000', reason: 'kubelet requires it' },
  { name: 'kernel.keys.root_maxbytes', value: '25000000', reason: 'kubelet requires it' },
];

/** What goes and comes with the node itself and is never left to be undone apart. */
const PARTS_OF_THE_NODE: readonly HostChange[] = [
  {
    id: 'bridge',
    change: `network bridge ${BRIDGE} and one link per pod`,
    reason: 'pods are connected through it',
    undo: 'removed',
  },
  {
    id: 'packet-rules',
    change: `nftables tables ${PACKET_TABLE} and kube-proxy`,
    reason: 'Services and the way from pods to the outside',
    undo: 'removed',
  },
  {
    id: 'cgroups',
    change: 'cgroups named kubepods, mounts and network namespaces of pods',
    reason: 'every container has its own',
    undo: 'removed',
  },
];

/** The changes that bringing the node up would make now. */
export async function hostChanges(): Promise<HostChange[]> {
  const changes = (await missingChanges()).map(inWords);
  const nodeIsThere = await hasLink(BRIDGE);
  return nodeIsThere ? changes : [...changes, ...PARTS_OF_THE_NODE];
}

/** Makes what is missing, each change recorded in the state directory before it is made. */
export async function makeHostChanges(
  stateDirectory: string,
  onProgress: (text: string) => void,
): Promise<void> {
  for (const change of await missingChanges()) {
    onProgress(inWords(change).change);
    recordChange(stateDirectory, change);
    await make(change);
  }
}

/** Takes the recorded changes back, the last one first. Packages stay installed. */
export async function undoHostChanges(stateDirectory: string): Promise<void> {
  let left = readRecordedChanges(stateDirectory);
  for (const change of [...left].reverse()) {
    await undo(change);
    left = left.slice(0, -1);
    writeRecordedChanges(stateDirectory, left);
  }
}

async function missingChanges(): Promise<RecordedChange[]> {
  const packages = missingPackages();
  const settings = SETTINGS.flatMap(({ name, value }): RecordedChange[] => {
    const before = readSetting(name);
    // Bridges that do not call the packet filter have no such setting, and need none.
    return before === undefined || before === value
      ? []
      : [{ kind: 'setting', name, before, after: value }];
  });
  return [
    ...(packages.length === 0 ? [] : [{ kind: 'packages' as const, names: packages }]),
    ...settings,
    ...(hasAddress(NODE_ADDRESS)
      ? []
      : [{ kind: 'address' as const, address: `${NODE_ADDRESS}/32`, device: 'lo' }]),
    ...Object.keys(FIXED_DIRECTORIES)
      .filter((path) => !existsSync(path))
      .map((path) => ({
        kind: 'directory' as const,
        path,
      })),
  ];
}

function inWords(change: RecordedChange): HostChange {
  switch (change.kind) {
    case 'packages':
      return {
        id: 'packages',
        change: `Debian packages ${change.names.join(' ')}`,
        reason:
          'they run containers and connect them; the sandbox runs its own containerd beside any other',
        undo: `stay installed; remove them with: apt-get remove ${change.names.join(' ')}`,
      };
    case 'setting':
      return {
        id: change.name,
        change: `kernel setting ${change.name} from ${change.before} to ${change.after}`,
        reason: SETTINGS.find(({ name }) => name === change.name)?.reason ?? '',
        undo: `set back to ${change.before}`,
      };
    case 'address':
      return {
        id: 'address',
        change: `address ${change.address} on ${change.device}`,
        reason: 'pods cannot reach an API server on 127.0.0.1',
        undo: 'removed',
      };
    case 'directory':
      return {
        id: change.path,
        change: `directory ${change.path}`,
        reason: FIXED_DIRECTORIES[change.path] ?? '',
        undo: 'removed',
      };
  }
}

async function make(change: RecordedChange): Promise<void> {
  switch (change.kind) {
    case 'packages':
      await installPackages(change.names);
      return;
    case 'setting':
      writeSetting(change.name, change.after);
      return;
    case 'address':
      await run('ip', ['address', 'add', change.address, 'dev', change.device]);
      return;
    case 'directory':
      await mkdir(change.path, { recursive: true });
  }
}

async function undo(change: RecordedChange): Promise<void> {
  switch (change.kind) {
    case 'packages':
      return;
    case 'setting':
      // Whoever has set another value since then wants that one.
      if (readSetting(change.name) === change.after) {
        writeSetting(change.name, change.before);
      }
      return;
    case 'address':
      if (hasAddress(change.address.split('/')[0] ?? '')) {
        await run('ip', ['address', 'delete', change.address, 'dev', change.device]);
      }
      return;
    case 'directory':
      await rm(change.path, { recursive: true, force: true });
  }
}

async function installPackages(names: readonly string[]): Promise<void> {
  const install = ['install', '-y', '-q', '--no-install-recommends', ...names];
  const options = { environment: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 600_000 };
  try {
    await run('apt-get', install, options);
  } catch {
    // The usual reason is a package list that is missing or older than the mirror.
    await run('apt-get', ['update', '-q'], options);
    await run('apt-get', install, options);
  }
}

async function hasLink(name: string): Promise<boolean> {
  return run('ip', ['link', 'show', name]).then(
    () => true,
    () => false,
  );
}
