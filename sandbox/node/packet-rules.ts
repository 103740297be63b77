/** The packet rules and links that the node has on the machine, and their removal. */
import { BRIDGE, PACKET_TABLE, POD_NETWORK } from './node-layout.ts';
import { hostPortRemovals } from './host-port-rules.ts';
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
  for (const command of ['iptables', 'ip6tables']) {
    await removeHostPortRules(command);
  }
}

async function removeHostPortRules(command: string): Promise<void> {
  let steps = hostPortRemovals(await savedRules(command));
  while (steps.length > 0) {
    for (const step of steps) {
      await run(command, step);
    }
    steps = hostPortRemovals(await savedRules(command));
  }
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
