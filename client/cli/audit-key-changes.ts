import { randomUUID } from 'node:crypto';
import type { AuditEntry } from '../../domain/security/audit-record.ts';
import { readSurroundings } from '../config.ts';
import { toOpsError } from '../error-translation.ts';
import { say, type Terminal } from './terminal.ts';

/** A change of keys or tokens, by names; never what is secret of them. */
export interface KeyChange<Outcome = unknown> {
  action: `keys.${string}`;
  subject: Readonly<Record<string, string>>;
  /** How it ended, where that is more than that it did. */
  result?: (outcome: Outcome) => string;
}

/**
 * Records the change before it is made and how it ended. Where there is a database and it does not
 * take the record, nothing is changed; where there is none, that is said.
 */
export const audited = async <Outcome>(
  terminal: Terminal,
  { action, subject, result }: KeyChange<Outcome>,
  make: () => Promise<Outcome>,
): Promise<Outcome> => {
  const { databaseUrl, actor } = readSurroundings();
  if (databaseUrl === undefined) {
    say(terminal, 'The audit log is off: no database is configured. This is not recorded.');
    return make();
  }
  // Loaded on demand: without a database the driver is not needed.
  const postgres = await import('../../activities/store/postgres/index.ts');
  await using store = postgres.openStore(databaseUrl);
  await postgres.requireCurrent(store).catch((error: unknown) => {
    throw toOpsError(error);
  });
  const log = postgres.createPostgresAuditLog({ store });
  const correlation = randomUUID();
  const tell = async (about: Pick<AuditEntry, 'phase' | 'result'>): Promise<void> => {
    const { phase } = about;
    const entry: AuditEntry = {
      id: `${correlation}/${phase}`,
      atMs: Date.now(),
      actor: { name: actor, verification: 'unverified' },
      action,
      subject,
      ...about,
      correlation,
    };
    await log.append([entry]).catch((error: unknown) => {
      throw toOpsError(error);
    });
  };
  // What was done is done, and a token that was made is shown this once: it must not be lost now.
  const tellEnd = async (end: string): Promise<void> =>
    tell({ phase: 'outcome', result: end }).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      say(terminal, `How this ended (${end}) was not recorded: ${why}`);
    });
  await tell({ phase: 'intent' });
  try {
    const outcome = await make();
    await tellEnd(result?.(outcome) ?? 'done');
    return outcome;
  } catch (error) {
    await tellEnd('failed');
    throw error;
  }
};
