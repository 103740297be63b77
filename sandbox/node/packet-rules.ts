/** The packet rules and links that the node has on the machine, and their removal. */
import { BRIDGE, PACKET_TABLE, POD_NETWORK } from './node-layout.ts';
import { hostPortRemovals, isNatTableUnused } from './host-port-rules.ts';
import { run, succeeds } from './machine-command.ts';

/** kube-proxy has one table of this name for each address family. */
const KUBE_PROXY_TABLE = 'kube-proxy';

/** Lets pods reach what the machine reaches: their addresses are unknown beyond it. */
export async function addPacketRules(): Promise<void> {
  const rules = `table ip ${PACKET_TABLE}
delete table ip ${PACKET_TABLE}
table ip ${PACKET_TABLE} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${POD_NETWORK} ip daddr != ${POD_NETWORK} masquerade
  }
}
`;
  await run('nft', ['-f', '-'], { input: rules });
}

export async function removePacketRules(): Promise<void> {
  if (!(await succeeds('nft', ['--version']))) {
    return; // without the package no rule was ever made
  }
  for (const table of [`ip ${PACKET_TABLE}`, `ip ${KUBE_PROXY_TABLE}`, `ip6 ${KUBE_PROXY_TABLE}`]) {
    const [family = '', name = ''] = table.split(' ');
    if (await succeeds('nft', ['list', 'table', family, name])) {
      await run('nft', ['delete', 'table', family, name]);
    }
  }
  await removeHostPortRules('iptables', 'ip');
  await removeHostPortRules('ip6tables', 'ip6');
}

async function removeHostPortRules(command: string, family: string): Promise<void> {
  let saved = await savedRules(command);
  let steps = hostPortRemovals(saved);
  if (steps.length === 0) return;
  while (steps.length > 0) {
    for (const step of steps) await run(command, step);
    saved = await savedRules(command);
    steps = hostPortRemovals(saved);
  }
  // iptables made the table for the first of the rules, and makes it again for the next user.
  if (isNatTableUnused(saved)) await succeeds('nft', ['delete', 'table', family, 'nat']);
}

async function savedRules(command: string): Promise<string> {
  return (await succeeds(command, ['--version'])) ? run(`${command}-save`, []) : '';
}

/** Removes the bridge and the host ends of the pods' links. */
export async function removeLinks(): Promise<void> {
  const listed = await run('ip', ['-o', 'link', 'show', 'master', BRIDGE]).catch(() => '');
  for (const line of listed.split('\n')) {
    const name = /^\d+: ([^@:\s]+)/.exec(line)?.[1];
    if (name !== undefined) {
      // It may go at any moment together with the network namespace of its pod.
      await succeeds('ip', ['link', 'delete', name]);
    }
  }
  if (await succeeds('ip', ['link', 'show', BRIDGE])) {
    await run('ip', ['link', 'delete', BRIDGE]);
  }
}
