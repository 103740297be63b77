import type { Migration } from './migration.ts';

/**
 * Roles belong to the server, not to the database: another database of it may have made them, also
 * at this moment. Who migrates has to be a member of both for as long as the migration runs.
 */
const roleNamed = (role: string): string => `do $make_role$
begin
  if not exists (select from pg_roles where rolname = '${role}') then
    create role ${role} nologin noinherit;
  end if;
exception
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise insufficient_privilege using message =
      'the role ${role} is missing, and this user may not make roles; let an administrator run: create role ${role} nologin noinherit; grant ${role} to ' || quote_ident(current_user);
end
$make_role$`;

const membershipIn = (role: string): string => `do $join_role$
begin
  if not (select rolsuper from pg_roles where rolname = current_user)
    and not pg_has_role(current_user, '${role}', 'usage') then
    execute format('grant ${role} to %I', current_user);
  end if;
end
$join_role$`;

/** Who migrates could otherwise take the trigger away with its everyday rights. */
const leave = (role: string): string => `do $leave_role$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('revoke ${role} from %I', current_user);
  end if;
exception
  -- An administrator has given the role, and takes it back.
  when insufficient_privilege then null;
end
$leave_role$`;

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
    ...['audit_record', 'audit_head'].flatMap((table) => [
      `create trigger ${table}_only_grows before update or delete or truncate
  on holdfast.${table} for each statement execute function holdfast.refuse_audit_change()`,
      // Else it would be silent for a session that calls itself a replica.
      `alter table holdfast.${table} enable always trigger ${table}_only_grows`,
    ]),
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
