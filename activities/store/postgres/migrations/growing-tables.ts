// What is made here is in the checksums of released migrations: it never changes.

/**
 * Roles belong to the server, not to the database: another database of it may have made them, also
 * at this moment. Who migrates has to be a member of both for as long as the migration runs.
 */
export const roleNamed = (role: string): string => `do $make_role$
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

export const membershipIn = (role: string): string => `do $join_role$
begin
  if not (select rolsuper from pg_roles where rolname = current_user)
    and not pg_has_role(current_user, '${role}', 'usage') then
    execute format('grant ${role} to %I', current_user);
  end if;
end
$join_role$`;

/** Who migrates could otherwise take the trigger away with its everyday rights. */
export const leave = (role: string): string => `do $leave_role$
begin
  if not (select rolsuper from pg_roles where rolname = current_user) then
    execute format('revoke ${role} from %I', current_user);
  end if;
exception
  -- An administrator has given the role, and takes it back.
  when insufficient_privilege then null;
end
$leave_role$`;

/** Refuses every change of a row that is there, for who has not taken the trigger away. */
export const onlyGrows = (table: string): string[] => [
  `create trigger ${table}_only_grows before update or delete or truncate
  on holdfast.${table} for each statement execute function holdfast.refuse_audit_change()`,
  // Else it would be silent for a session that calls itself a replica.
  `alter table holdfast.${table} enable always trigger ${table}_only_grows`,
];
