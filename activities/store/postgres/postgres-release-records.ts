import type { Selectable } from 'kysely';
import {
  addedFigures,
  releaseFigures,
  type ReleaseFigures,
} from '../../../domain/delivery/delivery-metrics.ts';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';
import type { ReleaseRecords } from '../port.ts';
import { requireRunId } from '../release-run-id.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

type Row = Selectable<StoreSchema['release_record']>;

/** One row for each release. Its key is the run, so that a release told again adds nothing. */
export const createPostgresReleaseRecords = ({ store }: { store: Store }): ReleaseRecords => ({
  async add(record) {
    requireRunId(record.runId);
    await store.use(async (database) =>
      database
        .withSchema(schemaName)
        .insertInto('release_record')
        .values(rowOf(record))
        .onConflict((conflict) => conflict.column('run_id').doNothing())
        .execute(),
    );
  },
  all: async () => store.use(allRecords),
});

/**
 * The figures of all releases that ever ended, also of those whose records went: a counter that falls
 * would look to Prometheus like one that began anew.
 */
export const postgresReleaseFigures = async (store: Store): Promise<ReleaseFigures> =>
  store.use(async (database) =>
    // Both at one moment: records may go, and be added up, between two looks.
    database
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (transaction) => {
        const earlier = await transaction
          .withSchema(schemaName)
          .selectFrom('pruned_release_figure')
          .selectAll()
          .execute();
        const pruned = Object.fromEntries(earlier.map(({ series, value }) => [series, value]));
        return addedFigures(releaseFigures(await allRecords(transaction)), pruned);
      }),
  );

const allRecords = async (database: Database): Promise<EndedRelease[]> => {
  const rows = await database
    .withSchema(schemaName)
    .selectFrom('release_record')
    .selectAll()
    .orderBy('ended_at')
    .orderBy('run_id')
    .execute();
  return rows.map(recordOf);
};

const rowOf = (record: EndedRelease): Row => ({
  run_id: record.runId,
  service: record.service,
  environment: record.environment,
  release: record.release,
  ending: record.ending,
  ended_at: new Date(record.endedAtMs),
  lead_time_ms: record.leadTimeMs ?? null,
  restore_ms: record.restoreMs ?? null,
});

export const recordOf = (row: Row): EndedRelease => ({
  runId: row.run_id,
  service: row.service,
  environment: row.environment,
  release: row.release,
  ending: row.ending,
  endedAtMs: row.ended_at.getTime(),
  ...(row.lead_time_ms === null ? {} : { leadTimeMs: row.lead_time_ms }),
  ...(row.restore_ms === null ? {} : { restoreMs: row.restore_ms }),
});
