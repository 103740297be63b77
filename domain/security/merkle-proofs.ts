import {
  emptyRange,
  equalHashes,
  nodeHash,
  peaksAt,
  rootOf,
  type Hash,
  type HashFunction,
  type Subtree,
} from './merkle-tree.ts';

/** Looks up the roots of complete subtrees. */
export type SubtreeHashes = (subtree: Subtree) => Hash;

interface Tree {
  hash: HashFunction;
  subtrees: SubtreeHashes;
}

/** The largest power of two below the count. */
const splitOf = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1);

/** Root of the leaves from `start`, which are aligned as the splits of RFC 6962 align them. */
const rangeRoot = ({ hash, subtrees }: Tree, start: number, count: number): Hash => {
  const peaks = peaksAt(count).map(({ level, index }) =>
    subtrees({ level, index: start / 2 ** level + index }),
  );
  return rootOf(hash, { size: count, peaks });
};

/** The root of a tree as it was when it had this size. */
export const rootAt = (tree: Tree, size: number): Hash =>
  size === 0 ? rootOf(tree.hash, emptyRange) : rangeRoot(tree, 0, size);

/** Proves that a leaf is in the tree of a size (RFC 6962, 2.1.1). @throws RangeError */
export const inclusionProof = (tree: Tree, position: number, size: number): Hash[] => {
  if (position < 0 || position >= size) throw new RangeError('the position is not in the tree');
  const proof: Hash[] = [];
  let [start, count] = [0, size];
  while (count > 1) {
    const split = splitOf(count);
    if (position - start < split) {
      proof.push(rangeRoot(tree, start + split, count - split));
      count = split;
    } else {
      proof.push(rangeRoot(tree, start, split));
      start += split;
      count -= split;
    }
  }
  return proof.reverse();
};

/** Proves that the tree of a size goes on from that of an earlier one (RFC 6962, 2.1.2). @throws RangeError */
export const consistencyProof = (tree: Tree, earlier: number, size: number): Hash[] => {
  if (earlier < 1 || earlier > size) throw new RangeError('the earlier size is not in the tree');
  const proof: Hash[] = [];
  let [start, count, left] = [0, size, earlier];
  // The subtree of the earlier leaves needs no hash while it is the whole earlier tree.
  let whole = true;
  while (left < count) {
    const split = splitOf(count);
    if (left <= split) {
      proof.push(rangeRoot(tree, start + split, count - split));
      count = split;
    } else {
      proof.push(rangeRoot(tree, start, split));
      start += split;
      count -= split;
      left -= split;
      whole = false;
    }
  }
  if (!whole) proof.push(rangeRoot(tree, start, count));
  return proof.reverse();
};

export interface InclusionClaim {
  position: number;
  size: number;
  leaf: Hash;
  root: Hash;
  proof: readonly Hash[];
}

/** Whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2). */
export const verifyInclusion = (hash: HashFunction, claim: InclusionClaim): boolean => {
  const { position, size, leaf, root, proof } = claim;
  if (position < 0 || position >= size) return false;
  let computed = leaf;
  const last = climb({ node: position, last: size - 1 }, proof, (sibling, side) => {
    computed =
      side === 'left' ? nodeHash(hash, sibling, computed) : nodeHash(hash, computed, sibling);
  });
  return last === 0 && equalHashes(computed, root);
};

interface Place {
  node: number;
  /** The last node of its level. */
  last: number;
}

/** Says of each hash of a proof on which side of the way up it lies; returns where the way ended. */
const climb = (
  from: Place,
  proof: readonly Hash[],
  pass: (sibling: Hash, side: 'left' | 'right') => void,
): number => {
  let { node, last } = from;
  for (const sibling of proof) {
    if (last === 0) return Number.NaN;
    const isLeft = node % 2 === 1 || node === last;
    pass(sibling, isLeft ? 'left' : 'right');
    // The last node of a level may have no sibling there: it goes up as it is.
    while (isLeft && node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    [node, last] = [half(node), half(last)];
  }
  return last;
};

export interface ConsistencyClaim {
  earlier: { size: number; root: Hash };
  later: { size: number; root: Hash };
  proof: readonly Hash[];
}

/** Whether the later tree begins with the earlier one (RFC 9162, 2.1.4.2). */
export const verifyConsistency = (
  hash: HashFunction,
  { earlier, later, proof }: ConsistencyClaim,
): boolean => {
  if (earlier.size === later.size) {
    return proof.length === 0 && equalHashes(earlier.root, later.root);
  }
  if (earlier.size < 1 || earlier.size > later.size) return false;
  const isComplete = Number.isInteger(Math.log2(earlier.size));
  const [first, ...rest] = isComplete ? [earlier.root, ...proof] : proof;
  if (first === undefined) return false;
  let [before, after] = [first, first];
  const start = aboveCompleted({ node: earlier.size - 1, last: later.size - 1 });
  const last = climb(start, rest, (sibling, side) => {
    if (side === 'left') before = nodeHash(hash, sibling, before);
    after = side === 'left' ? nodeHash(hash, sibling, after) : nodeHash(hash, after, sibling);
  });
  return last === 0 && equalHashes(before, earlier.root) && equalHashes(after, later.root);
};

const aboveCompleted = ({ node, last }: Place): Place =>
  node % 2 === 1 ? aboveCompleted({ node: half(node), last: half(last) }) : { node, last };

const half = (number: number): number => Math.floor(number / 2);
