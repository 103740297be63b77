import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { personRef } from '../../../domain/security/audit-record.ts';
import { sha256 } from '../sha256.ts';
import { schemaName, type StoreSchema } from './schema.ts';

/**
 * The reference of each name; new ones are written. The names are looked up each time, because one
 * that was erased meanwhile is another person from then on.
 */
export const refsOf = async (
  transaction: Transaction<StoreSchema>,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const wanted = [...new Set(names)];
  const database = transaction.withSchema(schemaName);
  const known = await database
    .selectFrom('audit_person')
    .select(['ref', 'name'])
    .where('name', 'in', wanted)
    .execute();
  const refs = new Map(known.flatMap(({ ref, name }) => (name === null ? [] : [[name, ref]])));
  const added = wanted
    .filter((name) => !refs.has(name))
    .map((name) => {
      const salt = randomBytes(16).toString('hex');
      return { ref: personRef(sha256, salt, name), salt, name };
    });
  if (added.length > 0) await database.insertInto('audit_person').values(added).execute();
  for (const { name, ref } of added) refs.set(name, ref);
  return refs;
};
