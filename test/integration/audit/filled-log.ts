import type { AuditEntry } from '../../../domain/security/audit-record.ts';
import {
  createPostgresAuditLog,
  migrate,
  openStore,
  type Store,
} from '../../../activities/store/postgres/index.ts';
import type { AuditLog } from '../../../activities/store/port.ts';

export const auditEntry = (serial: number, about: Partial<AuditEntry> = {}): AuditEntry => ({
  id: `entry-${String(serial)}`,
  atMs: Date.UTC(2026, 0, 1) + serial * 1_000,
  actor: { name: `ana-${String(serial % 3)}@example.com`, verification: 'verified' },
  action: 'approve',
  subject: { run: 'deploy:prod:shop:v2', service: 'shop', environment: 'prod' },
  reason: `reason "${String(serial)}" \u20ac`,
  phase: 'outcome',
  correlation: `run-${String(serial)}`,
  ...about,
});

export interface FilledLog extends AsyncDisposable {
  url: string;
  store: Store;
  log: AuditLog;
  append(from: number, count: number): Promise<void>;
}

/** A database with a log of so many records. */
export const filledLog = async (url: string, count: number): Promise<FilledLog> => {
  const store = openStore(url);
  await migrate(store);
  const log = createPostgresAuditLog({ store });
  const append = async (from: number, many: number): Promise<void> => {
    const entries = Array.from({ length: many }, (_, index) => auditEntry(from + index));
    await log.append(entries);
  };
  await append(0, count);
  return { url, store, log, append, [Symbol.asyncDispose]: async () => store.close() };
};
