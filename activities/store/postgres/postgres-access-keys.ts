import { sql, type Selectable } from 'kysely';
import type { AccessKeyEntry, AccessKeys } from '../../../domain/security/access-key.ts';
import type { Store } from './open-store.ts';
import { schemaName, type StoreSchema } from './schema.ts';

type Row = Selectable<StoreSchema['access_key']>;

/** Access keys in the database; each question reads it, so that a revoked key is refused at once. */
export const createPostgresAccessKeys = ({ store }: { store: Store }): AccessKeys => ({
  find: async (id) =>
    store.use(async (database) => {
      const row = await database
        .withSchema(schemaName)
        .selectFrom('access_key')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : entryOf(row);
    }),
  list: async () =>
    store.use(async (database) => {
      const rows = await database
        .withSchema(schemaName)
        .selectFrom('access_key')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute();
      return rows.map(entryOf);
    }),
  add: async (entry) => {
    await store.use(async (database) =>
      database.withSchema(schemaName).insertInto('access_key').values(rowOf(entry)).execute(),
    );
  },
  revoke: async (id, at) =>
    store.use(async (database) => {
      const { numUpdatedRows } = await database
        .withSchema(schemaName)
        .updateTable('access_key')
        .set({ revoked_at: sql<Date>`coalesce(revoked_at, ${new Date(at)})` })
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    }),
  endAt: async (id, at) =>
    store.use(async (database) => {
      const { numUpdatedRows } = await database
        .withSchema(schemaName)
        .updateTable('access_key')
        .set({ expires_at: sql<Date>`least(expires_at, ${new Date(at)})` })
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    }),
});

const rowOf = (entry: AccessKeyEntry): Row => ({
  id: entry.id,
  holder: entry.holder,
  public_key: entry.publicKey,
  environments: [...entry.scope.environments],
  actions: [...entry.scope.actions],
  created_at: new Date(entry.createdAt),
  expires_at: new Date(entry.expiresAt),
  revoked_at: entry.revokedAt === undefined ? null : new Date(entry.revokedAt),
});

const entryOf = (row: Row): AccessKeyEntry => ({
  id: row.id,
  holder: row.holder,
  publicKey: row.public_key,
  scope: { environments: row.environments, actions: row.actions },
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at.toISOString(),
  ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at.toISOString() }),
});
