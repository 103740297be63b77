/** How long the rows of a table are kept. */
export interface PruneRule {
  /** As it is called on the command line. */
  records: string;
  table: string;
  /** Column with the moment from which a row ages. */
  ageColumn: string;
  keepMs: number;
  /** No shorter time is accepted: something still counts on the rows. */
  atLeastMs: number;
  /** Why, for whoever asks for less. */
  atLeastBecause: string;
}

const dayMs = 24 * 3_600_000;

/** What is not listed is kept for ever. */
export const pruneRules = [
  {
    records: 'release-records',
    table: 'release_record',
    ageColumn: 'ended_at',
    keepMs: 730 * dayMs,
    atLeastMs: 30 * dayMs,
    atLeastBecause: 'a release that is told again after its record went would be counted twice',
  },
] as const satisfies readonly PruneRule[];

export type PrunedTable = (typeof pruneRules)[number]['table'];

/** Rows of the table from before the moment may go. */
export interface Expiry {
  records: string;
  table: PrunedTable;
  ageColumn: (typeof pruneRules)[number]['ageColumn'];
  beforeMs: number;
}

export type PruneOutcome = { expiries: Expiry[] } | { refused: string };

/** What may go at a moment, by the rules and the times that were asked for instead of theirs. */
export const expiriesAt = (
  nowMs: number,
  asked: Readonly<Record<string, number>> = {},
): PruneOutcome => {
  const unknown = Object.keys(asked).find(
    (name) => !pruneRules.some(({ records }) => records === name),
  );
  if (unknown !== undefined) {
    const names = pruneRules.map(({ records }) => records).join(', ');
    return { refused: `there is no rule for ${unknown}; there is for ${names}` };
  }
  const tooShort = pruneRules.find(
    ({ records, atLeastMs }) => (asked[records] ?? atLeastMs) < atLeastMs,
  );
  if (tooShort !== undefined) {
    const { records, atLeastMs, atLeastBecause } = tooShort;
    const days = `${atLeastMs / dayMs} days`;
    return { refused: `${records} are kept for at least ${days}: ${atLeastBecause}` };
  }
  const expiries = pruneRules.map(({ records, table, ageColumn, keepMs }) => ({
    records,
    table,
    ageColumn,
    beforeMs: nowMs - (asked[records] ?? keepMs),
  }));
  return { expiries };
};
