/** The store in PostgreSQL. Apart from the blobs, so that who needs no database loads no driver. */
export { auditOrigin, createAuditExport, type AuditExport } from './audit-export.ts';
export { lastAuditHead, makeHead, type AuditHead } from './audit-heads.ts';
export { backUp } from './backup.ts';
export { deliverAudit } from './deliver-audit.ts';
export { receiveOnce } from './inbox.ts';
export { migrate, requireCurrent } from './migrate.ts';
export { createPostgresAccessGrants } from './postgres-access-grants.ts';
export { createPostgresAccessKeys } from './postgres-access-keys.ts';
export { openAccessDatabase } from './open-access-database.ts';
export { openStore, type Store } from './open-store.ts';
export { addToOutbox, deliverWaiting } from './outbox.ts';
export { outboxStatus, reviveDead, type OutboxStatus } from './outbox-status.ts';
export { createPostgresAuditLog, operationsLog } from './postgres-audit-log.ts';
export {
  createPostgresReleaseRecords,
  postgresReleaseFigures,
} from './postgres-release-records.ts';
export { prune } from './prune.ts';
export { restore } from './restore.ts';
export { storeStatus, type StoreStatus } from './store-status.ts';
export { takeOverReleaseRecords } from './take-over-records.ts';
