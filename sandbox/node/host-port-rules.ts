/**
 * CNI's portmap plugin makes iptables chains for pods with host ports and leaves
 * them behind when such a pod is killed. Other users of CNI on the machine have
 * chains of the same names: only what carries our network's name is ours.
 * (https://www.cni.dev/plugins/current/meta/portmap/)
 */
import { CNI_NETWORK } from './node-layout.ts';

const ENTRY_CHAIN = 'CNI-HOSTPORT-DNAT';
const SHARED_CHAINS = new Set([ENTRY_CHAIN, 'CNI-HOSTPORT-SETMARK', 'CNI-HOSTPORT-MASQ']);

interface Rule {
  readonly table: string;
  /** The words after `-A`, the chain first. */
  readonly words: readonly string[];
}

interface Chain {
  readonly table: string;
  readonly name: string;
}

/**
 * The arguments of the iptables calls that come next on the way to a machine
 * without our rules, given the output of iptables-save: first the rules and
 * chains of our pods, then, when no pod of anyone is left in them, the chains
 * that the pods share. Empty when nothing is left to do.
 */
export function hostPortRemovals(saved: string): string[][] {
  const { rules, chains } = parse(saved);
  const ofOurPods = rules.filter(({ words }) => words.some(namesOurNetwork));
  if (ofOurPods.length > 0) {
    const targets = new Set(ofOurPods.map(targetOf));
    return removals(
      ofOurPods,
      chains.filter(({ name }) => targets.has(name)),
    );
  }
  const shared = chains.filter(({ name }) => SHARED_CHAINS.has(name));
  if (shared.length === 0 || rules.some(({ words }) => words[0] === ENTRY_CHAIN)) {
    return [];
  }
  return removals(
    rules.filter((rule) => SHARED_CHAINS.has(targetOf(rule))),
    shared,
  );
}

/** Whether nobody has a rule or a chain of their own in the table that host ports need. */
export function isNatTableUnused(saved: string): boolean {
  const { rules, chains } = parse(saved);
  const builtIn = new Set(['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING']);
  return ![
    ...rules.map(({ table }) => table),
    ...chains.filter(({ name }) => !builtIn.has(name)).map(({ table }) => table),
  ].includes('nat');
}

function namesOurNetwork(word: string): boolean {
  return word.includes(`name: "${CNI_NETWORK}"`);
}

function targetOf({ words }: Rule): string {
  return words[words.indexOf('-j') + 1] ?? '';
}

function removals(rules: readonly Rule[], chains: readonly Chain[]): string[][] {
  return [
    ...rules.map(({ table, words }) => ['-t', table, '-D', ...words]),
    ...['-F', '-X'].flatMap((step) => chains.map(({ table, name }) => ['-t', table, step, name])),
  ];
}

function parse(saved: string): { rules: Rule[]; chains: Chain[] } {
  const rules: Rule[] = [];
  const chains: Chain[] = [];
  let table = '';
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) {
      table = line.slice(1).trim();
    } else if (line.startsWith(':')) {
      chains.push({ table, name: line.slice(1).split(' ')[0] ?? '' });
    } else if (line.startsWith('-A ')) {
      rules.push({ table, words: shellWords(line).slice(1) });
    }
  }
  return { rules, chains };
}

/** iptables-save quotes a word that has spaces and escapes the quotes in it. */
function shellWords(line: string): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((word) =>
    word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word,
  );
}
