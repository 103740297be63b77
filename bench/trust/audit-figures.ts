import { performance } from 'node:perf_hooks';
import {
  createPostgresAuditLog,
  migrate,
  openStore,
  operationsLog,
} from '../../activities/store/postgres/index.ts';
import { sha256 } from '../../activities/store/sha256.ts';
import type { AuditEntry } from '../../domain/security/audit-record.ts';
import { verifyRecords } from '../../domain/security/audit-verification.ts';
import type { Figure } from '../figure.ts';

const callers = 8;
const entriesACall = 125;
const calls = 40;
const warmUpCalls = 4;

/** Of about the size that a message to a release has. */
const entryAt = (serial: number): AuditEntry => ({
  id: `entry-${String(serial)}`,
  atMs: 1_767_225_600_000 + serial,
  actor: { name: `person-${String(serial % 50)}@example.com`, verification: 'verified' },
  action: 'approve',
  subject: { run: `deploy:production:shop:v${String(serial)}`, service: 'shop' },
  reason: 'the dashboards look as they did yesterday at this time',
  decision: { verdict: 'allowed', rule: 'release managers approve releases' },
  phase: 'effect',
  correlation: `run-${String(serial)}`,
});

/** Records for good in one second by callers who each bring many, and records verified in one. */
export const measureAudit = async (url: string): Promise<Omit<Figure, 'holds' | 'ratio'>[]> => {
  await using store = openStore(url);
  await migrate(store);
  const log = createPostgresAuditLog({ store });
  let serial = 0;
  const call = async (): Promise<void> => {
    const entries = Array.from({ length: entriesACall }, () => entryAt((serial += 1)));
    await log.append(entries);
  };
  const caller = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) await call();
  };
  await caller(warmUpCalls);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: callers }, async () => caller(calls)));
  const appendS = (performance.now() - startedAt) / 1_000;

  const anchor = { heads: [], leaves: [] };
  const known = { hash: sha256, log: operationsLog, anchor, people: await log.people() };
  const verifyingAt = performance.now();
  const { size, finding } = await verifyRecords(known, log.read({ from: 0 }));
  const verifyS = (performance.now() - verifyingAt) / 1_000;
  if (finding !== undefined || size !== serial) throw new Error('the log is not what was recorded');
  const appended = callers * calls * entriesACall;
  return [
    {
      bench: 'trust',
      metric: 'audit_append_per_s',
      value: appended / appendS,
      unit: 'records/s',
      target: 5_000,
    },
    { bench: 'trust', metric: 'audit_verify_per_s', value: size / verifyS, unit: 'records/s' },
  ];
};
