import type { ExportTarget } from '../audit/export-targets.ts';
import type { HeadSigner } from '../audit/head-signer.ts';
import type { AuditLog } from '../port.ts';
import { makeHead } from './audit-heads.ts';
import { deliverAudit } from './deliver-audit.ts';
import type { Store } from './open-store.ts';
import { deliverWaiting, type Deliver } from './outbox.ts';

/** Names the log in heads and events. */
export const auditOrigin = 'holdfast/operations';

export interface AuditExport {
  /**
   * Signs a head if something was recorded, and delivers what is due, or all with `atOnce`. Returns
   * what could not be delivered, a sentence for each target.
   * @throws AUDIT_LOG_BROKEN, STORE_UNREACHABLE
   */
  run(nowMs: number, options?: { atOnce?: boolean }): Promise<string[]>;
}

export const createAuditExport = ({
  store,
  log,
  signer,
  keyFile,
  targets,
}: {
  store: Store;
  log: AuditLog;
  signer: HeadSigner;
  keyFile: string;
  targets: readonly ExportTarget[];
}): AuditExport => {
  const { origin, verifierKey } = signer;
  const deliver = deliverAudit({ store, log, origin, verifierKey });
  // The last head lies beside the key: who restores an older database leaves it as it is.
  const maker = { store, signer, memoryFile: `${keyFile}.last-head`, targets };
  return {
    run: async (nowMs, { atOnce = false } = {}) => {
      const [made] = await Promise.allSettled([makeHead(maker, nowMs)]);
      // What was signed before goes out also where nothing more is signed.
      const failures = await deliverAll({ store, targets, nowMs, atOnce, deliver });
      if (made.status === 'rejected') throw made.reason;
      return failures;
    },
  };
};

const deliverAll = async ({
  store,
  targets,
  ...round
}: {
  store: Store;
  targets: readonly ExportTarget[];
  nowMs: number;
  atOnce: boolean;
  deliver: Deliver;
}): Promise<string[]> => {
  const failures: string[] = [];
  const answering = new Set(targets.map(({ name }) => name));
  for (;;) {
    const { target, failure } = await deliverWaiting(store, { ...round, targets: [...answering] });
    if (target === undefined) return failures;
    if (failure === undefined) continue;
    failures.push(`${target}: ${failure}`);
    answering.delete(target);
  }
};
