import { fileURLToPath } from 'node:url';
import type { AuditRecord } from '../../../domain/security/audit-record.ts';
import { batchMediaType, headEvent, recordEvent, type CloudEvent } from '../audit/cloud-event.ts';
import { writeHead } from '../audit/head-directory.ts';
import type { AuditLog } from '../port.ts';
import { noteOfHead, type HeadMessage } from './audit-heads.ts';
import type { Store } from './open-store.ts';
import type { Deliver } from './outbox.ts';

const answerWithinMs = 10_000;
/** A server that says one of these may take the same request later. */
const passing = [408, 425, 429];

interface AuditSource {
  store: Store;
  log: AuditLog;
  origin: string;
  verifierKey: string;
}

/** Takes heads to directories (`file:` addresses), and records and heads as CloudEvents to others. */
export const deliverAudit =
  (source: AuditSource): Deliver =>
  async ({ target, payload }) => {
    const message = payload as HeadMessage;
    if (target.startsWith('file:')) {
      if (message.kind === 'head') await writeToDirectory(source, target, message);
      return 'delivered';
    }
    return post(target, await eventsOf(source, message));
  };

const writeToDirectory = async (
  { store, log, verifierKey }: AuditSource,
  target: string,
  { from, size }: { from: number; size: number },
): Promise<void> => {
  const { note } = await noteOfHead(store, size);
  const records = await recordsIn(log, { from, to: size });
  const head = { size, note, from, leaves: records.map(({ leaf }) => leaf) };
  await writeHead(fileURLToPath(target), { head, verifierKey });
};

const eventsOf = async (
  { store, log, origin }: AuditSource,
  message: HeadMessage,
): Promise<CloudEvent[]> => {
  if (message.kind === 'head') {
    const { size, note, madeAtMs } = await noteOfHead(store, message.size);
    return [headEvent(origin, { size, note, at: new Date(madeAtMs) })];
  }
  const records = await recordsIn(log, message);
  return records.map((record) => recordEvent(origin, record));
};

const recordsIn = async (
  log: AuditLog,
  range: { from: number; to: number },
): Promise<AuditRecord[]> => {
  const records: AuditRecord[] = [];
  for await (const record of log.read(range)) records.push(record);
  return records;
};

const post = async (
  target: string,
  events: readonly CloudEvent[],
): Promise<'delivered' | { refused: string }> => {
  const response = await fetch(target, {
    method: 'POST',
    headers: { 'content-type': batchMediaType },
    body: JSON.stringify(events),
    redirect: 'error',
    signal: AbortSignal.timeout(answerWithinMs),
  });
  await response.body?.cancel();
  if (response.ok) return 'delivered';
  const { status } = response;
  const answer = `the target answered ${String(status)}`;
  if (status >= 400 && status < 500 && !passing.includes(status)) return { refused: answer };
  throw new Error(answer);
};
