import type { LedgerEntry } from '../shared/saga-ledger.ts';
import { isExact, type Proof, type ProofVerdict } from './proof.ts';

/** Foreign edits are kept and listed; they do not make the new version unproven. */
const provenForward: readonly ProofVerdict[] = [
  'exact',
  'foreign-change-preserved',
  'replica-set-replaced',
];

/** Rows that say the release is not what the plan promised. */
export const unprovenRows = (proof: Proof): Proof['rows'] =>
  proof.rows.filter(({ verdict }) => !provenForward.includes(verdict));

/** Exact only with a proof: no proof and anything left undone are exceptions. */
export const outcomeOfRestore = (
  compensations: readonly LedgerEntry[],
  proof: Proof | undefined,
): 'restored-exactly' | 'restored-with-exceptions' => {
  const undone = compensations.every(
    ({ state }) => state === 'undone' || state === 'nothing-to-undo',
  );
  return undone && proof !== undefined && isExact(proof)
    ? 'restored-exactly'
    : 'restored-with-exceptions';
};
