import { createHash } from 'node:crypto';
import type { KnownMigration } from '../../../../domain/store/migration-plan.ts';
import { releaseRecords } from './0001-release-records.ts';
import { auditLog } from './0002-audit-log.ts';
import { outbox } from './0003-outbox.ts';
import { accessKeys } from './0004-access-keys.ts';
import { accessGrants } from './0005-access-grants.ts';
import type { Migration } from './migration.ts';

/** A migration with the digest by which an altered one is found out. */
export type ChecksummedMigration = Migration & KnownMigration;

const checksumOf = ({ name, statements }: Migration): string =>
  createHash('sha256')
    .update(JSON.stringify([name, ...statements]))
    .digest('hex');

/** In the order of their numbers. */
export const migrations: readonly ChecksummedMigration[] = [
  releaseRecords,
  auditLog,
  outbox,
  accessKeys,
  accessGrants,
].map((migration) => ({ ...migration, checksum: checksumOf(migration) }));
