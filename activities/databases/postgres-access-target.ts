import { escapeIdentifier, type Client } from 'pg';
import {
  describeMembership,
  membershipChange,
  type AccessTarget,
  type Membership,
  type MembershipChange,
  type TargetRule,
} from '../../domain/security/access-target.ts';
import { asLogin, inTransaction, refused } from './administering-login.ts';

export interface PostgresAccessTargetDeps {
  /**
   * File with the URL of a login that has the admin option on the database roles and is there for
   * this alone. Not a superuser: the server would count what it grants as granted by another one.
   */
  urlFile: string;
  /** Memberships of database roles that none of our roles comes to are not ours. */
  rights: TargetRule['rights'];
}

/**
 * Memberships of database roles, of logins that have the names of users. Ours are those that the
 * login of the target granted, as the server keeps it; those of others are left, also where they
 * are of the same login and role.
 *
 * A change is made in one transaction, all of it or nothing: where one login is missing nobody
 * gets anything and nobody loses anything by that call, and the error names all that are missing.
 */
export const createPostgresAccessTarget = ({
  urlFile,
  rights,
}: PostgresAccessTargetDeps): AccessTarget => {
  const managed = [...new Set(Object.values(rights).flat())];
  return {
    read: async () =>
      asLogin(urlFile, async (client) => {
        await loginOf(client);
        return grantedByUs(client, managed);
      }),
    change: async (change) => {
      const asked = ofUsers(change);
      if (asked.remove.length + asked.give.length === 0) return;
      await asLogin(urlFile, async (client) =>
        inTransaction(client, async () => write(client, asked)),
      );
    },
  };
};

const write = async (client: Client, asked: MembershipChange): Promise<void> => {
  // Two that grant the same at the same moment would fail at each other.
  await client.query(`select pg_advisory_xact_lock(hashtext('holdfast access target'))`);
  const login = await loginOf(client);
  const { remove, give } = await whatIsLeft(client, asked);
  await refuseMissing(client, { remove, give, login });
  const by = 'granted by current_user';
  for (const { member, right } of remove) {
    await client.query(`revoke ${escapeIdentifier(right)} from ${escapeIdentifier(member)} ${by}`);
  }
  for (const { member, right } of give) {
    await client.query(`grant ${escapeIdentifier(right)} to ${escapeIdentifier(member)} ${by}`);
  }
};

/** The name of the login that we are. @throws ACCESS_TARGET_REFUSED for a superuser */
const loginOf = async (client: Client): Promise<string> => {
  const [row] = await rowsOf<{ login: string; isSuperuser: boolean }>(
    client,
    `select rolname::text as login, rolsuper as "isSuperuser" from pg_roles where rolname = current_user`,
  );
  const login = row?.login ?? '';
  if (row?.isSuperuser !== true) return login;
  throw refused(
    `The login ${login} is a superuser: what it grants cannot be told from what others granted. Nothing was changed.`,
    'Make a login for the target alone, and grant it the database roles WITH ADMIN OPTION.',
    login,
  );
};

// Names are compared as text: as the type `name` a longer one would be cut off, and be another one.
const grantedByUs = async (client: Client, roles: readonly string[]): Promise<Membership[]> => {
  const rows = await rowsOf<{ member: string; right: string }>(
    client,
    `select member.rolname::text as member, role.rolname::text as "right"
     from pg_auth_members
     join pg_roles member on member.oid = pg_auth_members.member
     join pg_roles role on role.oid = pg_auth_members.roleid
     join pg_roles grantor on grantor.oid = pg_auth_members.grantor
     where grantor.rolname = current_user and role.rolname::text = any($1::text[])
     order by 1, 2`,
    [roles],
  );
  return rows.map((row) => ({ ...row, kind: 'user' }));
};

const rightsOf = (memberships: readonly Membership[]): string[] => [
  ...new Set(memberships.map(({ right }) => right)),
];

/** Without what is so already. Before version 16 a REVOKE would take also what others granted. */
const whatIsLeft = async (
  client: Client,
  { remove, give }: MembershipChange,
): Promise<MembershipChange> => {
  const present = await grantedByUs(client, rightsOf([...remove, ...give]));
  const gone = membershipChange(remove, present).remove;
  return {
    remove: membershipChange(gone, remove).give,
    give: membershipChange(present, give).give,
  };
};

interface Wanted extends MembershipChange {
  login: string;
}

/** Looks before it writes, so that one error names everything that an administrator has to do. */
const refuseMissing = async (client: Client, { remove, give, login }: Wanted): Promise<void> => {
  const { logins, roles, administered } = await knownNames(client);
  const missingRole = rightsOf(give).filter((right) => !roles.has(right));
  if (missingRole.length > 0) {
    throw refused(
      `There is no database role ${missingRole.join(', ')}. Nothing was changed.`,
      'Create it, or correct the database roles of the target in access.yaml.',
      missingRole.join(', '),
    );
  }
  const notOurs = rightsOf([...remove, ...give]).filter((right) => !administered.has(right));
  if (notOurs.length > 0) {
    const statement = `GRANT ${notOurs.map(escapeIdentifier).join(', ')} TO ${escapeIdentifier(login)} WITH ADMIN OPTION`;
    throw refused(
      `The login ${login} may not grant ${notOurs.join(', ')}. Nothing was changed.`,
      `Let an administrator of the database run: ${statement};`,
      notOurs.join(', '),
    );
  }
  const nobody = [...new Set(give.map(({ member }) => member))].filter((user) => !logins.has(user));
  if (nobody.length === 0) return;
  throw refused(
    `There is no login ${nobody.join(', ')} in the database. Nothing was changed.`,
    'Create a login of exactly that name, or take the role away from who needs none there.',
    nobody.join(', '),
  );
};

const knownNames = async (
  client: Client,
): Promise<Record<'logins' | 'roles' | 'administered', ReadonlySet<string>>> => {
  const rows = await rowsOf<{ name: string; canLogIn: boolean; isAdministered: boolean }>(
    client,
    `select rolname::text as name, rolcanlogin as "canLogIn", exists (
       select from pg_auth_members
       where roleid = pg_roles.oid and admin_option
         and member = (select oid from pg_roles where rolname = current_user)
     ) as "isAdministered"
     from pg_roles`,
  );
  const named = (those: typeof rows): ReadonlySet<string> => new Set(those.map(({ name }) => name));
  return {
    roles: named(rows),
    logins: named(rows.filter(({ canLogIn }) => canLogIn)),
    administered: named(rows.filter(({ isAdministered }) => isAdministered)),
  };
};

/** A group that has the name of a login must not get that login anything, nor take it away. */
const ofUsers = ({ remove, give }: MembershipChange): MembershipChange => {
  const group = give.find(({ kind }) => kind === 'group');
  if (group === undefined) return { remove: remove.filter(({ kind }) => kind === 'user'), give };
  throw refused(
    `Logins of a database are users, and cannot take ${describeMembership(group)}. Nothing was changed.`,
    'Report it: members of groups are given their roles one by one.',
    describeMembership(group),
  );
};

const rowsOf = async <Row extends object>(
  client: Client,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => (await client.query<Row>(text, [...values])).rows;
