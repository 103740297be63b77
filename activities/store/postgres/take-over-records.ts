import type { FiledReleaseRecords } from '../filesystem-release-records.ts';
import { createPostgresReleaseRecords } from './postgres-release-records.ts';
import type { Store } from './open-store.ts';

/**
 * Moves the records that were kept in files into the database, for who had no database before. One
 * that is in both is in the database once. Returns how many files there were.
 */
export const takeOverReleaseRecords = async (
  store: Store,
  files: FiledReleaseRecords,
): Promise<number> => {
  const records = createPostgresReleaseRecords({ store });
  const found = await files.all();
  for (const record of found) {
    await records.add(record);
    // Else a record that is pruned later would come back with the next start of a worker.
    await files.setAside(record.runId);
  }
  return found.length;
};
