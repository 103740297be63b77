import { expect, test } from '@jest/globals';
import type { Proof, ProofVerdict } from '../../../domain/delivery/proof.ts';
import { outcomeOfRestore, unprovenRows } from '../../../domain/delivery/release-outcome.ts';
import type { LedgerEntry } from '../../../domain/shared/saga-ledger.ts';

const proof = (...verdicts: ProofVerdict[]): Proof => ({
  direction: 'back',
  ignored: [],
  rows: verdicts.map((verdict, index) => ({
    object: { apiVersion: 'v1', kind: 'ConfigMap', name: String(index) },
    hashBefore: 'a',
    hashAfter: 'a',
    verdict,
    fields: [],
  })),
});

const entry = (state: LedgerEntry['state']): LedgerEntry => ({
  step: state,
  service: 'shop',
  state,
  note: '',
});

test('exactly restored needs everything undone and every row exact', () => {
  const undone = [entry('undone'), entry('nothing-to-undo')];
  expect(outcomeOfRestore(undone, proof('exact', 'exact'))).toBe('restored-exactly');
  expect(outcomeOfRestore(undone, proof('exact', 'differs'))).toBe('restored-with-exceptions');
});

test('without a proof nothing is exact', () => {
  expect(outcomeOfRestore([entry('undone')], undefined)).toBe('restored-with-exceptions');
});

test.each(['skipped', 'failed', 'foreign-change-preserved', 'recorded'] as const)(
  'a compensation that is %s is an exception, whatever the proof says',
  (state) => {
    expect(outcomeOfRestore([entry(state)], proof('exact'))).toBe('restored-with-exceptions');
  },
);

test('a foreign edit does not unprove a new version; a wrong or missing object does', () => {
  expect(unprovenRows(proof('exact', 'foreign-change-preserved'))).toEqual([]);
  const wrong = unprovenRows(proof('differs', 'missing', 'leftover'));
  expect(wrong.map(({ verdict }) => verdict)).toEqual(['differs', 'missing', 'leftover']);
});
