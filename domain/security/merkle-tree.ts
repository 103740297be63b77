/**
 * The Merkle tree of RFC 6962: leaves and nodes are hashed with different first bytes, so that no
 * node can be passed off as a leaf. The hash function comes from outside.
 */
export type Hash = Uint8Array;
export type HashFunction = (bytes: Uint8Array) => Hash;

const leafPrefix = 0x00;
const nodePrefix = 0x01;

const prefixed = (prefix: number, parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 1));
  bytes[0] = prefix;
  let at = 1;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

export const leafHash = (hash: HashFunction, leaf: Uint8Array): Hash =>
  hash(prefixed(leafPrefix, [leaf]));

export const nodeHash = (hash: HashFunction, left: Hash, right: Hash): Hash =>
  hash(prefixed(nodePrefix, [left, right]));

export const equalHashes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

/** All that has to be kept to go on: the roots of the complete subtrees, the largest first. */
export interface CompactRange {
  readonly size: number;
  readonly peaks: readonly Hash[];
}

export const emptyRange: CompactRange = { size: 0, peaks: [] };

export interface Appended {
  range: CompactRange;
  /** Roots of the subtrees that this leaf completes, from two leaves upwards. */
  completed: Hash[];
}

/** One leaf more; on average one node is hashed, however large the tree is. */
export const appendLeaf = (hash: HashFunction, range: CompactRange, leaf: Hash): Appended => {
  const peaks = [...range.peaks];
  const completed: Hash[] = [];
  let node = leaf;
  for (let rest = range.size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    const left = peaks.pop();
    if (left === undefined) throw new TypeError('a range has too few peaks for its size');
    node = nodeHash(hash, left, node);
    completed.push(node);
  }
  peaks.push(node);
  return { range: { size: range.size + 1, peaks }, completed };
};

/** The root of the tree; that of no leaves is the hash of nothing. */
export const rootOf = (hash: HashFunction, { peaks }: CompactRange): Hash => {
  const [last, ...larger] = [...peaks].reverse();
  if (last === undefined) return hash(new Uint8Array(0));
  return larger.reduce((right, left) => nodeHash(hash, left, right), last);
};

/** A complete subtree: `level` 0 is a leaf, and `index` counts the subtrees of a level. */
export interface Subtree {
  level: number;
  index: number;
}

/** The subtrees whose roots are the peaks of a tree of this size. */
export const peaksAt = (size: number): Subtree[] => {
  const peaks: Subtree[] = [];
  let start = 0;
  for (let level = Math.floor(Math.log2(Math.max(size, 1))); level >= 0; level -= 1) {
    const width = 2 ** level;
    if (size - start < width) continue;
    peaks.push({ level, index: start / width });
    start += width;
  }
  return peaks;
};
