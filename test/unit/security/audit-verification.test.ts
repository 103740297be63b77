import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bodyOf,
  chainOf,
  firstChain,
  leafOf,
  type AuditRecord,
} from '../../../domain/security/audit-record.ts';
import {
  verifyRecords,
  type AuditAnchor,
  type AuditFinding,
} from '../../../domain/security/audit-verification.ts';
import { appendLeaf, emptyRange, rootOf, type Hash } from '../../../domain/security/merkle-tree.ts';

const hash = (bytes: Uint8Array): Hash => createHash('sha256').update(bytes).digest();
const log = 'operations';

const bodyAt = (position: number, reason = 'as planned'): string =>
  bodyOf(
    {
      id: `e${position}`,
      atMs: position,
      actor: { name: 'ana', verification: 'verified' },
      action: 'approve',
      subject: { service: 'shop' },
      reason,
      phase: 'outcome',
      correlation: `c${position}`,
    },
    { log, position, actorRef: 'a1' },
  );

/** Records with hashes that fit, as whoever writes to the table directly could make them. */
const recordsOf = (bodies: readonly string[]): AuditRecord[] => {
  let chain = firstChain;
  return bodies.map((body, position) => {
    const leaf = leafOf(hash, body);
    chain = chainOf(hash, chain, leaf);
    return { position, body, leaf, chain };
  });
};

const anchorOf = (records: readonly AuditRecord[], sizes: readonly number[]): AuditAnchor => ({
  heads: sizes.map((size) => {
    const leaves = records.slice(0, size).map(({ leaf }) => leaf);
    const range = leaves.reduce((before, leaf) => appendLeaf(hash, before, leaf).range, emptyRange);
    return { size, root: rootOf(hash, range) };
  }),
  leaves: records.map(({ leaf }) => leaf),
});

const findingIn = async (
  records: readonly AuditRecord[],
  anchor: AuditAnchor,
): Promise<AuditFinding | undefined> => {
  async function* read(): AsyncGenerator<AuditRecord> {
    for (const record of records) yield Promise.resolve(record);
  }
  return (await verifyRecords({ hash, log, anchor, people: [] }, read())).finding;
};

const size = 12;
const bodies = Array.from({ length: size }, (_, position) => bodyAt(position));
const sound = recordsOf(bodies);
const anchor = anchorOf(sound, [5, size]);
const noAnchor: AuditAnchor = { heads: [], leaves: [] };
const position = fc.nat(size - 1);

describe('of a log with one damage', () => {
  test('nothing is said where there is none, however much of it a head vouches for', async () => {
    for (const some of [anchor, noAnchor, anchorOf(sound.slice(0, 5), [5])]) {
      expect(await findingIn(sound, some)).toBeUndefined();
    }
  });

  test('a changed record is named, whether or not its hashes were made to fit', async () => {
    await fc.assert(
      fc.asyncProperty(position, fc.boolean(), async (at, fits) => {
        const changed = bodies.with(at, bodyAt(at, 'as nobody planned'));
        const records = fits
          ? recordsOf(changed)
          : sound.map((record, index) => ({ ...record, body: changed[index] ?? '' }));
        expect(await findingIn(records, anchor)).toMatchObject({ damage: 'changed', position: at });
        if (!fits) {
          const alone = await findingIn(records, noAnchor);
          expect(alone).toMatchObject({ damage: 'changed', position: at });
        }
      }),
    );
  });

  test('a deleted record is named, also where the gap was closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 2), fc.boolean(), async (at, closed) => {
        const rest = bodies.toSpliced(at, 1);
        const records = closed ? recordsOf(rest) : sound.toSpliced(at, 1);
        for (const some of [anchor, noAnchor]) {
          expect(await findingIn(records, some)).toMatchObject({ damage: 'deleted', position: at });
        }
      }),
    );
  });

  test('the first of two swapped records is named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(position, { minLength: 2, maxLength: 2 }), async (pair) => {
        const [one = 0, other = 0] = pair.toSorted((a, b) => a - b);
        const swapped = bodies.with(one, bodies[other] ?? '').with(other, bodies[one] ?? '');
        for (const some of [anchor, noAnchor]) {
          const finding = await findingIn(recordsOf(swapped), some);
          expect(finding).toMatchObject({ damage: 'swapped', position: one });
        }
      }),
    );
  });

  test('where it was cut off, or an older state put in its place, is named', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: size - 1 }), fc.nat(9), async (kept, more) => {
        const cut = sound.slice(0, kept);
        expect(await findingIn(cut, anchor)).toMatchObject({ damage: 'truncated', position: kept });
        const older = { ...anchor, claimedSize: 0 };
        expect(await findingIn(cut, older)).toMatchObject({ damage: 'restored', position: kept });
        const count = size - kept + 1 + more;
        const writtenOn = Array.from({ length: count }, (_, n) => bodyAt(kept + n, 'anew'));
        const finding = await findingIn(recordsOf([...bodies.slice(0, kept), ...writtenOn]), older);
        // A single record behind an older state is another record at that place, and nothing more.
        const damage = kept === size - 1 ? 'changed' : 'restored';
        expect(finding).toMatchObject({ damage, position: kept });
      }),
    );
  });

  test('what is no record at all is named as changed', async () => {
    for (const body of ['', 'null', '[]', '{"position":3}', `{"log":"operations","position":3}`]) {
      const finding = await findingIn(recordsOf(bodies.with(3, body)), anchor);
      expect(finding).toMatchObject({ damage: 'changed', position: 3 });
    }
  });
});
