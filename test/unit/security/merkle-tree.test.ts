import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  appendLeaf,
  emptyRange,
  leafHash,
  nodeHash,
  peaksAt,
  rootOf,
  type Hash,
} from '../../../domain/security/merkle-tree.ts';
import {
  consistencyProof,
  inclusionProof,
  rootAt,
  verifyConsistency,
  verifyInclusion,
  type SubtreeHashes,
} from '../../../domain/security/merkle-proofs.ts';

const hash = (bytes: Uint8Array): Hash =>
  new Uint8Array(createHash('sha256').update(bytes).digest());
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The inputs and roots with which Certificate Transparency tests its trees. */
const inputs = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((text) => leafHash(hash, Buffer.from(text, 'hex')));
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The tree as RFC 6962 defines it, without any of our shortcuts. */
const plainRoot = (leaves: readonly Hash[]): Hash => {
  const [first] = leaves;
  if (first === undefined) return hash(new Uint8Array(0));
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(hash, plainRoot(leaves.slice(0, split)), plainRoot(leaves.slice(split)));
};

const subtreesOf =
  (leaves: readonly Hash[]): SubtreeHashes =>
  ({ level, index }) =>
    plainRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

const leavesOf = (count: number): Hash[] =>
  Array.from({ length: count }, (_, index) => leafHash(hash, Buffer.from(`record ${index}`)));

const grown = (leaves: readonly Hash[]) =>
  leaves.reduce((range, leaf) => appendLeaf(hash, range, leaf).range, emptyRange);

describe('a tree', () => {
  test('has the known roots of the known leaves', () => {
    const sizes = roots.map((_, size) => size);
    expect(sizes.map((size) => hex(rootOf(hash, grown(inputs.slice(0, size)))))).toEqual(roots);
  });

  test('that grew leaf by leaf has the root that the definition gives', () => {
    fc.assert(
      fc.property(fc.nat(130), (size) => {
        const leaves = leavesOf(size);
        expect(hex(rootOf(hash, grown(leaves)))).toBe(hex(plainRoot(leaves)));
        const tree = { hash, subtrees: subtreesOf(leaves) };
        expect(hex(rootAt(tree, size))).toBe(hex(plainRoot(leaves)));
      }),
      { numRuns: 40 },
    );
  });

  test('tells the subtrees that a leaf completes, and needs no others to go on', () => {
    const leaves = leavesOf(70);
    const told = new Map<string, string>();
    let range = emptyRange;
    leaves.forEach((leaf, position) => {
      const appended = appendLeaf(hash, range, leaf);
      ({ range } = appended);
      [leaf, ...appended.completed].forEach((node, level) => {
        told.set(`${level}/${Math.floor(position / 2 ** level)}`, hex(node));
      });
      const size = position + 1;
      const peaks = peaksAt(size).map(({ level, index }) => told.get(`${level}/${index}`));
      expect(range.peaks.map(hex)).toEqual(peaks);
    });
  });
});

const sizes = fc
  .integer({ min: 1, max: 90 })
  .chain((size) => fc.record({ size: fc.constant(size), other: fc.nat(size - 1) }));

describe('a proof', () => {
  test('of inclusion holds for its record and for no other', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), ({ size, other: position }, flip) => {
        const leaves = leavesOf(size);
        const proof = inclusionProof({ hash, subtrees: subtreesOf(leaves) }, position, size);
        const leaf = leaves[position] ?? new Uint8Array();
        const claim = { position, size, leaf, root: plainRoot(leaves), proof };
        expect(verifyInclusion(hash, claim)).toBe(true);
        const wrong = leafHash(hash, Buffer.from('another record'));
        expect(verifyInclusion(hash, { ...claim, leaf: wrong })).toBe(false);
        expect(verifyInclusion(hash, { ...claim, proof: [...proof, leaf] })).toBe(false);
        if (size > 1) {
          const elsewhere = { ...claim, position: (position + 1) % size };
          expect(verifyInclusion(hash, elsewhere)).toBe(false);
          const index = flip % proof.length;
          const changed = proof.map((node, at) => (at === index ? wrong : node));
          expect(verifyInclusion(hash, { ...claim, proof: changed })).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of consistency holds where a tree goes on, and not where its past was changed', () => {
    fc.assert(
      fc.property(sizes, ({ size, other }) => {
        const leaves = leavesOf(size);
        const [earlier, later] = [other + 1, size];
        const proof = consistencyProof({ hash, subtrees: subtreesOf(leaves) }, earlier, later);
        const claim = {
          earlier: { size: earlier, root: plainRoot(leaves.slice(0, earlier)) },
          later: { size: later, root: plainRoot(leaves) },
          proof,
        };
        expect(verifyConsistency(hash, claim)).toBe(true);
        const forged = leaves.with(other, leafHash(hash, Buffer.from('another record')));
        const changed = {
          earlier: claim.earlier,
          later: { size: later, root: plainRoot(forged) },
          proof: consistencyProof({ hash, subtrees: subtreesOf(forged) }, earlier, later),
        };
        expect(verifyConsistency(hash, changed)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test('is refused for what is not in the tree', () => {
    const tree = { hash, subtrees: subtreesOf(leavesOf(3)) };
    expect(() => inclusionProof(tree, 3, 3)).toThrow(RangeError);
    expect(() => consistencyProof(tree, 4, 3)).toThrow(RangeError);
  });
});
