import { leave, membershipIn, onlyGrows, roleNamed } from './growing-tables.ts';
import type { Migration } from './migration.ts';

const growingTables = ['audit_record', 'audit_person', 'audit_head'] as const;

export const auditLog: Migration = {
  number: 2,
  name: 'audit log',
  statements: [
    roleNamed('holdfast_audit_owner'),
    roleNamed('holdfast_audit_writer'),
    membershipIn('holdfast_audit_owner'),
    membershipIn('holdfast_audit_writer'),
    `create table holdfast.audit_record (
  log text not null,
  position bigint not null check (position >= 0),
  entry_id text not null,
  body text not null,
  leaf bytea not null,
  chain bytea not null,
  nodes bytea not null,
  primary key (log, position),
  unique (log, entry_id)
)`,
    `create index audit_record_correlation on holdfast.audit_record
  (log, ((body::jsonb) ->> 'correlation'), ((body::jsonb) ->> 'phase'))`,
    `create table holdfast.audit_person (
  ref text primary key,
  salt text,
  name text unique
)`,
    `create table holdfast.audit_head (
  log text not null,
  size bigint not null check (size > 0),
  note text not null,
  made_at timestamptz not null,
  primary key (log, size)
)`,
    `create function holdfast.refuse_audit_change() returns trigger language plpgsql as $refuse$
begin
  raise insufficient_privilege using message = format('%s only grows: %s is refused', tg_table_name, lower(tg_op));
end
$refuse$`,
    ...['audit_record', 'audit_head'].flatMap(onlyGrows),
    `grant usage on schema holdfast to holdfast_audit_writer`,
    `grant usage, create on schema holdfast to holdfast_audit_owner`,
    ...growingTables.flatMap((table) => [
      `grant select, insert on holdfast.${table} to holdfast_audit_writer`,
      `alter table holdfast.${table} owner to holdfast_audit_owner`,
    ]),
    `alter function holdfast.refuse_audit_change() owner to holdfast_audit_owner`,
    `revoke create on schema holdfast from holdfast_audit_owner`,
    leave('holdfast_audit_owner'),
  ],
};
