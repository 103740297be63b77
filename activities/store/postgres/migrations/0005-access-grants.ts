import { leave, membershipIn, onlyGrows } from './growing-tables.ts';
import type { Migration } from './migration.ts';

/** Who held which role at any time stays on record: like the audit log, the table only grows. */
export const accessGrants: Migration = {
  number: 5,
  name: 'access grants',
  statements: [
    membershipIn('holdfast_audit_owner'),
    `create table holdfast.access_grant_list (
  version bigint primary key check (version > 0),
  write_id text not null unique,
  request text unique,
  grants jsonb not null check (jsonb_typeof(grants) = 'array'),
  written_at timestamptz not null default now()
)`,
    ...onlyGrows('access_grant_list'),
    `grant usage, create on schema holdfast to holdfast_audit_owner`,
    `grant select, insert on holdfast.access_grant_list to holdfast_audit_writer`,
    `alter table holdfast.access_grant_list owner to holdfast_audit_owner`,
    `revoke create on schema holdfast from holdfast_audit_owner`,
    leave('holdfast_audit_owner'),
  ],
};
