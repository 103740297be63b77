import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { codedErrorOf } from '../activities/coded-failure.ts';
import {
  createWaitingEntries,
  openHeadSigner,
  waitingEntriesIn,
} from '../activities/store/audit/index.ts';
import type { AuditLog } from '../activities/store/port.ts';
import type { AuditExport } from '../activities/store/postgres/index.ts';
import type { AuditEntry } from '../domain/security/audit-record.ts';
import type { WorkerConfig } from './config.ts';
import { closeEndedRuns } from './ended-runs.ts';
import { StartError } from './start-error.ts';

/** Where a worker records what was asked, decided and done. */
export interface Audit {
  /** Settles when the entries are kept for good: in the log, or in files until it answers. */
  record(entries: readonly AuditEntry[]): Promise<void>;
  /** Signs and exports heads, and looks for intents without an outcome, until it is closed. */
  keepUp(client: Client): void;
  close(): Promise<void>;
}

/**
 * The audit log in the database; undefined, and said so, where there is none.
 * @throws StartError if the database answers, and this version cannot work with it
 */
export const openAudit = async (config: WorkerConfig, log: Logger): Promise<Audit | undefined> => {
  const { databaseUrl, blobsDirectory } = config;
  if (databaseUrl === undefined) {
    log.warn('the audit log is off: DATABASE_URL is not set, so that nothing is recorded in it');
    return undefined;
  }
  const postgres = await import('../activities/store/postgres/index.ts');
  const store = postgres.openStore(databaseUrl);
  const auditLog = postgres.createPostgresAuditLog({ store });
  const { keyFile, targets } = config.audit;
  const waiting =
    blobsDirectory === undefined
      ? undefined
      : createWaitingEntries(waitingEntriesIn(blobsDirectory));
  const settle = async (): Promise<void> => {
    await postgres.requireCurrent(store);
    const moved = (await waiting?.handOver((entries) => auditLog.append(entries))) ?? 0;
    if (moved > 0) log.info({ moved }, 'audit records were moved from files to the database');
  };
  const openExport = async (): Promise<AuditExport | undefined> => {
    if (keyFile === undefined) return undefined;
    const signer = await openHeadSigner(keyFile, postgres.auditOrigin);
    return postgres.createAuditExport({ store, log: auditLog, signer, keyFile, targets });
  };
  try {
    const exporter = await openExport();
    await settle().catch((error: unknown) => {
      if (codedErrorOf(error)?.code !== 'STORE_UNREACHABLE') throw error;
      log.warn({ err: error }, 'the database does not answer; audit records wait in files');
    });
    if (targets.length === 0) {
      log.warn('heads of the audit log are not exported: HOLDFAST_AUDIT_EXPORT is not set');
    }
    return auditOf({
      config,
      log,
      auditLog,
      keep: waiting === undefined ? undefined : async (entries) => waiting.keep(entries),
      settle,
      exporter,
      closeStore: async () => store.close(),
    });
  } catch (error) {
    await store.close();
    const coded = codedErrorOf(error);
    throw coded === undefined ? error : new StartError(coded.code, coded.message);
  }
};

interface AuditParts {
  config: WorkerConfig;
  log: Logger;
  auditLog: AuditLog;
  keep: ((entries: readonly AuditEntry[]) => Promise<void>) | undefined;
  settle: () => Promise<void>;
  exporter: AuditExport | undefined;
  closeStore: () => Promise<void>;
}

const auditOf = (parts: AuditParts): Audit => {
  const ended = new AbortController();
  let keepingUp = Promise.resolve();
  return {
    record: async (entries) => {
      try {
        await parts.auditLog.append(entries);
      } catch (error) {
        if (parts.keep === undefined || codedErrorOf(error)?.code !== 'STORE_UNREACHABLE') {
          throw error;
        }
        await parts.keep(entries);
      }
    },
    keepUp: (client) => {
      keepingUp = keepUp(parts, client, ended.signal);
    },
    close: async () => {
      ended.abort();
      await keepingUp;
      await parts.closeStore();
    },
  };
};

/** Every worker of an installation may do this: each round is one transaction of one of them. */
const keepUp = async (parts: AuditParts, client: Client, signal: AbortSignal): Promise<void> => {
  const { log, config, auditLog, exporter } = parts;
  while (!signal.aborted) {
    const nowMs = Date.now();
    try {
      await parts.settle();
      await closeEndedRuns({ auditLog, client, log, nowMs });
      const failures = (await exporter?.run(nowMs)) ?? [];
      for (const failure of failures) log.warn({ failure }, 'a head was not exported; tried again');
    } catch (error) {
      log.error({ err: error }, 'the audit log could not be kept up; tried again');
    }
    await delay(config.audit.headEveryMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
};
