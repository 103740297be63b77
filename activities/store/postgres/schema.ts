import type { ColumnType, Generated } from 'kysely';
import type { EndedRelease } from '../../../domain/delivery/ended-release.ts';
import type { AccessGrant } from '../../../domain/security/access-grant.ts';

/** The schema in the database that everything of ours is in. */
export const schemaName = 'holdfast';

/** Tables with content, in an order in which they can be filled. */
export const storeTables = [
  'release_record',
  'pruned_release_figure',
  'audit_record',
  'audit_person',
  'audit_head',
  'outbox_target',
  'outbox_message',
  'inbox_message',
  'access_key',
  'access_grant_list',
] as const;

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

/** Only grows; see the migration for who may do what. */
interface AuditRecordTable {
  log: string;
  /** A bigint, which the driver gives as text. */
  position: ColumnType<string, number>;
  entry_id: string;
  body: string;
  leaf: Buffer;
  chain: Buffer;
  /** Roots of the subtrees that this record completes, one behind the other. */
  nodes: Buffer;
}

/** Both are null where the person was erased. */
interface AuditPersonTable {
  ref: string;
  salt: string | null;
  name: string | null;
}

interface AuditHeadTable {
  log: string;
  size: ColumnType<string, number>;
  note: string;
  made_at: Moment;
}

interface OutboxTargetTable {
  target: string;
  failures: Generated<number>;
  last_error: string | null;
  failing_since: Moment | null;
  next_attempt_at: Generated<Date>;
  last_delivered_at: Moment | null;
}

interface OutboxMessageTable {
  target: string;
  number: ColumnType<string, number>;
  topic: string;
  payload: unknown;
  added_at: Moment;
  delivered_at: Moment | null;
  dead_at: Moment | null;
  dead_because: string | null;
}

interface InboxMessageTable {
  consumer: string;
  message_id: string;
  received_at: Moment;
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

/** Every version of what changes of access gave; only grows. */
interface AccessGrantListTable {
  /** A bigint, which the driver gives as text. */
  version: ColumnType<string, number>;
  write_id: string;
  /** What was signed for it, where something was. */
  request: string | null;
  grants: ColumnType<readonly AccessGrant[], string>;
  written_at: Generated<Date>;
}

/** The tables as they are after the last migration. */
export interface StoreSchema {
  migration: MigrationTable;
  release_record: ReleaseRecordTable;
  pruned_release_figure: PrunedReleaseFigureTable;
  audit_record: AuditRecordTable;
  audit_person: AuditPersonTable;
  audit_head: AuditHeadTable;
  outbox_target: OutboxTargetTable;
  outbox_message: OutboxMessageTable;
  inbox_message: InboxMessageTable;
  access_key: AccessKeyTable;
  access_grant_list: AccessGrantListTable;
}
