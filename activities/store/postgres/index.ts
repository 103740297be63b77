/** The store in PostgreSQL. Apart from the blobs, so that who needs no database loads no driver. */
export { backUp } from './backup.ts';
export { migrate, requireCurrent } from './migrate.ts';
export { createPostgresAccessKeys } from './postgres-access-keys.ts';
export { openStore, type Store } from './open-store.ts';
export {
  createPostgresReleaseRecords,
  postgresReleaseFigures,
} from './postgres-release-records.ts';
export { prune } from './prune.ts';
export { restore } from './restore.ts';
export { storeStatus, type StoreStatus } from './store-status.ts';
export { takeOverReleaseRecords } from './take-over-records.ts';
