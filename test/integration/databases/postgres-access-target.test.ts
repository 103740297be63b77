import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { escapeIdentifier } from 'pg';
import { createPostgresAccessTarget } from '../../../activities/databases/index.ts';
import {
  describeMembership,
  type AccessTarget,
  type Membership,
} from '../../../domain/security/access-target.ts';
import { describeAccessTarget, type AccessTargetSite } from '../../conformance/access-targets.ts';
import { runSql, startPostgresServer, type PostgresServer } from '../../setup/postgres-server.ts';

let server: PostgresServer;
let folder: string;
let admin: string;
let serial = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-databases-'));
  server = await startPostgresServer();
  admin = await server.createDatabase();
});

afterAll(async () => {
  await server.remove();
  rmSync(folder, { recursive: true });
});

const quoted = escapeIdentifier;

const urlOf = (user: string, changes: Partial<URL> = {}): string =>
  Object.assign(new URL(admin), { username: user, password: 'secret', ...changes }).href;

const writeUrl = (url: string): string => {
  serial += 1;
  const file = path.join(folder, `url-${String(serial)}`);
  writeFileSync(file, `${url}\n`, { mode: 0o600 });
  return file;
};

interface Site extends AccessTargetSite {
  login: string;
  urlFile: string;
}

/** Roles, users and a login to grant them, of names that nothing else in the server has. */
const openSite = async (): Promise<Site> => {
  serial += 1;
  const of = (name: string): string => `${name}-${String(serial)}`;
  const login = of('holdfast access');
  const users = [of('ana@example.com'), of(`o"brien; drop role x`)] as const;
  const rights = [of('shop reader'), of('shop"writer')] as const;
  const olga = of('olga');
  const statements = [
    ...[login, olga, ...users].map((name) => `create role ${quoted(name)} login password 'secret'`),
    ...rights.map((name) => `create role ${quoted(name)}`),
    ...rights.map((name) => `grant ${quoted(name)} to ${quoted(login)} with admin option`),
  ];
  await runSql(admin, statements.join(';'));
  const urlFile = writeUrl(urlOf(login));
  return {
    target: createPostgresAccessTarget({ urlFile, rights: { some: [...rights] } }),
    ...{ login, users, rights, urlFile },
    giveByHand: async () => {
      const membership = { member: olga, kind: 'user', right: rights[0] } as const;
      await byHand(membership);
      return membership;
    },
    has: async ({ member, right }) => {
      const rows = await runSql(
        admin,
        `select pg_has_role(${literal(member)}, ${literal(right)}, 'member') as has`,
      );
      return rows[0]?.['has'] === true;
    },
    version: async () =>
      JSON.stringify(await runSql(admin, 'select xmin, * from pg_auth_members order by oid')),
  };
};

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const byHand = async ({ member, right }: Membership): Promise<void> => {
  await runSql(admin, `grant ${quoted(right)} to ${quoted(member)}`);
};

describeAccessTarget('PostgreSQL', openSite);

describe('database roles', () => {
  let site: Site;
  let target: AccessTarget;
  let read: Membership;
  let write: Membership;
  const refused = { type: 'ACCESS_TARGET_REFUSED', nonRetryable: true };

  const targetAt = (urlFile: string, rights: readonly string[] = site.rights): AccessTarget =>
    createPostgresAccessTarget({ urlFile, rights: { some: rights } });

  const readError = async (url: string): Promise<unknown> =>
    targetAt(writeUrl(url))
      .read()
      .catch((error: unknown) => error);

  beforeEach(async () => {
    site = await openSite();
    ({ target } = site);
    const [ana] = site.users;
    read = { member: ana, kind: 'user', right: site.rights[0] };
    write = { member: ana, kind: 'user', right: site.rights[1] };
  });

  test('let their member do what they may, and no more once it is taken away', async () => {
    const table = quoted(`table of ${read.right}`);
    await runSql(admin, `create table ${table} (x int)`);
    await runSql(admin, `grant select on ${table} to ${quoted(read.right)}`);
    const look = async (): Promise<unknown> =>
      runSql(urlOf(encodeURIComponent(read.member)), `select * from ${table}`);
    await expect(look()).rejects.toMatchObject({ code: '42501' });
    await target.change({ remove: [], give: [read] });
    expect(await look()).toEqual([]);
    await target.change({ remove: [read], give: [] });
    await expect(look()).rejects.toMatchObject({ code: '42501' });
  });

  test('stay with who has them by somebody else too', async () => {
    await byHand(read);
    await target.change({ remove: [], give: [read] });
    expect((await target.read()).map(describeMembership)).toEqual([describeMembership(read)]);
    await target.change({ remove: [read], give: [] });
    expect(await target.read()).toEqual([]);
    expect(await site.has(read)).toBe(true);
  });

  test('that are none of ours are not seen, though the same login granted them', async () => {
    await target.change({ remove: [], give: [read, write] });
    const narrow = targetAt(site.urlFile, [read.right]);
    expect((await narrow.read()).map(({ right }) => right)).toEqual([read.right]);
  });

  test('are given by two at once', async () => {
    const other = targetAt(site.urlFile);
    const give = [read, write];
    await Promise.all([target, other].map(async (each) => each.change({ remove: [], give })));
    expect(await target.read()).toHaveLength(2);
  });

  test('change all or not at all: every login that is missing is named', async () => {
    await target.change({ remove: [], give: [read] });
    const nobody = ['nobody-1', 'nobody-2'].map((member) => ({ ...write, member }));
    const change = target.change({ remove: [read], give: [...nobody, write] });
    await expect(change).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('There is no login nobody-1, nobody-2 in the database'),
    });
    expect(await target.read()).toEqual([read]);
  });

  test('are not given to a login of which the name is only the beginning', async () => {
    const cut = 'a'.repeat(63);
    await runSql(admin, `create role ${cut} login`);
    const change = target.change({ remove: [], give: [{ ...read, member: `${cut}b` }] });
    await expect(change).rejects.toMatchObject(refused);
    expect(await site.has({ ...read, member: cut })).toBe(false);
  });

  test('are not given to a role that cannot log in', async () => {
    const change = target.change({ remove: [], give: [{ ...read, member: write.right }] });
    await expect(change).rejects.toMatchObject(refused);
  });

  test('without the admin option are refused, with the statement that helps', async () => {
    const [one, other] = [`one "of ${site.login}"`, `other of ${site.login}`];
    await runSql(admin, `create role ${quoted(one)}; create role ${quoted(other)}`);
    const wider = targetAt(site.urlFile, [one, other]);
    const give = [one, other].map((right) => ({ ...read, right }));
    const error: unknown = await wider.change({ remove: [], give }).catch((each: unknown) => each);
    expect(error).toMatchObject(refused);
    const [{ next }] = (error as { details: [{ next: string }] }).details;
    await runSql(admin, next.slice(next.indexOf('GRANT')));
    await wider.change({ remove: [], give });
    expect(await wider.read()).toHaveLength(2);
  });

  test('that are not there are refused', async () => {
    const give = [{ ...read, right: 'no such role' }];
    await expect(target.change({ remove: [], give })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('There is no database role no such role'),
    });
  });

  test('are not granted by a superuser', async () => {
    const target = targetAt(writeUrl(admin));
    await expect(target.read()).rejects.toMatchObject(refused);
    const change = target.change({ remove: [], give: [read] });
    await expect(change).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('is a superuser'),
    });
    expect(await site.has(read)).toBe(false);
  });

  test('are refused where the file with the URL cannot be used, which is not repeated', async () => {
    const missing = targetAt(path.join(folder, 'no-such-file')).read();
    await expect(missing).rejects.toMatchObject(refused);
    const open = writeUrl(urlOf(site.login));
    chmodSync(open, 0o644);
    await expect(targetAt(open).read()).rejects.toMatchObject(refused);
    for (const url of [
      'mysql://ana:secret@localhost/x',
      'postgres://ana:secret@db.example.com/x?sslmode=disable',
      urlOf(site.login, { search: '?sslmode=verify-full&sslrootcert=/no/such/file' }),
      urlOf(site.login, { search: '?sslmode=verify-full' }),
      urlOf(site.login, { password: 'wrong-secret' }),
      urlOf(site.login, { pathname: '/no-such-database' }),
    ]) {
      const error = await readError(url);
      expect(error).toMatchObject(refused);
      expect(JSON.stringify((error as { details: unknown }).details)).not.toContain('secret');
      expect(String(error)).not.toContain('secret');
    }
  });

  test('cannot be read or changed where nobody answers, and that passes', async () => {
    const away = { type: 'ACCESS_TARGET_UNREACHABLE', nonRetryable: false };
    await server.stop();
    try {
      await expect(target.read()).rejects.toMatchObject(away);
      await expect(target.change({ remove: [], give: [read] })).rejects.toMatchObject(away);
    } finally {
      await server.start();
    }
    await target.change({ remove: [], give: [read] });
    expect(await target.read()).toEqual([read]);
  });
});
