import type { ColumnType, Generated } from 'kysely';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';

/** The schema in the database that everything of ours is in. */
export const schemaName = 'holdfast';

/** Tables with content, in an order in which they can be filled. */
export const storeTables = ['release_record', 'pruned_release_figure', 'access_key'] as const;

export type StoreTable = (typeof storeTables)[number];

interface MigrationTable {
  number: number;
  name: string;
  checksum: string;
  applied_at: Generated<Date>;
}

type Moment = ColumnType<Date, Date>;

interface ReleaseRecordTable {
  run_id: string;
  service: string;
  environment: string;
  release: string;
  ending: EndedRelease['ending'];
  ended_at: Moment;
  lead_time_ms: number | null;
  restore_ms: number | null;
}

/** What releases whose records went have added to the figures of delivery. */
interface PrunedReleaseFigureTable {
  series: string;
  value: number;
}

/** One row for each access key that was ever made; the secrets are with their holders. */
interface AccessKeyTable {
  id: string;
  holder: string;
  public_key: string;
  environments: string[];
  actions: string[];
  created_at: Moment;
  expires_at: Moment;
  revoked_at: ColumnType<Date | null, Date | null>;
}

/** The tables as they are after the last migration. */
export interface StoreSchema {
  migration: MigrationTable;
  release_record: ReleaseRecordTable;
  pruned_release_figure: PrunedReleaseFigureTable;
  access_key: AccessKeyTable;
}
