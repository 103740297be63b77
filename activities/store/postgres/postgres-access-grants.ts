import { sql, type Selectable } from 'kysely';
import type { AccessGrants, GrantList, GrantWrite } from '../../../domain/security/access-grant.ts';
import { codedFailure } from '../../coded-failure.ts';
import type { Database, Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

type Row = Pick<Selectable<StoreSchema['access_grant_list']>, 'version' | 'grants'>;

/** What was given, in the database; each question reads it, so that what was taken away is gone at once. */
export const createPostgresAccessGrants = ({ store }: { store: Store }): AccessGrants => ({
  current: async () =>
    store.use(async (database) => {
      const row = await database
        .withSchema(schemaName)
        .selectFrom('access_grant_list')
        .select(['version', 'grants'])
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row === undefined ? { version: 0, grants: [] } : listOf(row);
    }),
  written: async (id) => store.use(async (database) => writtenAs(database, id)),
  at: async (version) =>
    store.use(async (database) => {
      const row = await database
        .withSchema(schemaName)
        .selectFrom('access_grant_list')
        .select(['version', 'grants'])
        .where('version', '=', String(version))
        .executeTakeFirst();
      return row === undefined ? undefined : listOf(row);
    }),
  write: async (write) =>
    store.use(async (database) => {
      const list = (await insertNext(database, write)) ?? (await writtenAs(database, write.id));
      if (list !== undefined) return list;
      if (await isUsed(database, write)) throw usedBefore(write.id);
      throw codedFailure({
        code: 'ACCESS_CHANGED',
        message: `Version ${String(write.basedOn)} of what is given is not the newest any more. Nothing was written.`,
        subject: write.id,
      });
    }),
});

/**
 * The next version, or nothing where it is not based on the newest or was written before. Of those
 * who write the same version at once the database takes one; the others wait for it to commit and
 * then have written nothing.
 */
const insertNext = async (
  database: Database,
  {
    id,
    request = null,
    basedOn,
    grants,
  }: Omit<GrantWrite, 'request'> & { request?: string | null },
): Promise<GrantList | undefined> => {
  const table = sql.table(`${schemaName}.access_grant_list`);
  const { rows } = await sql<Row>`
    insert into ${table} (version, write_id, request, grants)
    select newest.version + 1, ${id}::text, ${request}::text, ${JSON.stringify(grants)}::jsonb
    from (select coalesce(max(version), 0) as version from ${table}) as newest
    where newest.version = ${basedOn}::bigint
    on conflict do nothing
    returning version, grants
  `.execute(database);
  return rows[0] === undefined ? undefined : listOf(rows[0]);
};

const writtenAs = async (database: Database, id: string): Promise<GrantList | undefined> => {
  const row = await database
    .withSchema(schemaName)
    .selectFrom('access_grant_list')
    .select(['version', 'grants'])
    .where('write_id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : listOf(row);
};

const isUsed = async (database: Database, { request }: GrantWrite): Promise<boolean> => {
  if (request === undefined) return false;
  const row = await database
    .withSchema(schemaName)
    .selectFrom('access_grant_list')
    .select('version')
    .where('request', '=', request)
    .executeTakeFirst();
  return row !== undefined;
};

const usedBefore = (id: string): Error =>
  codedFailure({
    code: 'IDENTITY_UNPROVEN',
    message: 'What was signed for the change was used before, by another run. Nothing was written.',
    next: 'Ask for the change anew.',
    subject: id,
  });

const listOf = ({ version, grants }: Row): GrantList => ({ version: Number(version), grants });
