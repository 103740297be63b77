import type { Migration } from './migration.ts';

export const releaseRecords: Migration = {
  number: 1,
  name: 'release records',
  statements: [
    `create table holdfast.release_record (
  run_id text primary key,
  service text not null,
  environment text not null,
  release text not null,
  ending text not null check (ending in ('deployed', 'failed', 'aborted')),
  ended_at timestamptz not null,
  lead_time_ms double precision,
  restore_ms double precision
)`,
    `create index release_record_ended_at on holdfast.release_record (ended_at)`,
    `create table holdfast.pruned_release_figure (
  series text primary key,
  value double precision not null
)`,
  ],
};
