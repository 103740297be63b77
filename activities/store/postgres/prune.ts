import { sql, type Transaction } from 'kysely';
import { releaseFigures } from '../../../domain/delivery/delivery-metrics.ts';
import type { Expiry } from '../../../domain/store/prune-rules.ts';
import type { Database, Store } from './open-store.ts';
import { recordOf } from './postgres-release-records.ts';
import { schemaName, type StoreSchema } from './schema.ts';

export interface Pruned {
  records: string;
  beforeMs: number;
  /** Rows that went, or would go. */
  rows: number;
}

/** Removes the rows that may go; with `dryRun` it only counts them. */
export const prune = async (
  store: Store,
  { expiries, dryRun = false }: { expiries: readonly Expiry[]; dryRun?: boolean },
): Promise<Pruned[]> =>
  store.use(async (database) => {
    const pruned: Pruned[] = [];
    for (const expiry of expiries) {
      const rows = dryRun ? await countRows(database, expiry) : await removeRows(database, expiry);
      pruned.push({ records: expiry.records, beforeMs: expiry.beforeMs, rows });
    }
    return pruned;
  });

const countRows = async (database: Database, expiry: Expiry): Promise<number> => {
  const { rows } = await database
    .withSchema(schemaName)
    .selectFrom(expiry.table)
    .where(expiry.ageColumn, '<', new Date(expiry.beforeMs))
    .select(sql<number>`count(*)::integer`.as('rows'))
    .executeTakeFirstOrThrow();
  return rows;
};

const removeRows = async (database: Database, expiry: Expiry): Promise<number> =>
  database.transaction().execute(async (transaction) => {
    const gone = await transaction
      .withSchema(schemaName)
      .deleteFrom(expiry.table)
      .where(expiry.ageColumn, '<', new Date(expiry.beforeMs))
      .returningAll()
      .execute();
    await keepFigures(transaction, releaseFigures(gone.map(recordOf)));
    return gone.length;
  });

/** In the same transaction, so that each release is counted once: by its record, or in here. */
const keepFigures = async (
  transaction: Transaction<StoreSchema>,
  figures: Readonly<Record<string, number>>,
): Promise<void> => {
  const values = Object.entries(figures).map(([series, value]) => ({ series, value }));
  if (values.length === 0) return;
  await transaction
    .withSchema(schemaName)
    .insertInto('pruned_release_figure')
    .values(values)
    .onConflict((conflict) =>
      conflict.column('series').doUpdateSet({
        value: sql<number>`pruned_release_figure.value + excluded.value`,
      }),
    )
    .execute();
};
