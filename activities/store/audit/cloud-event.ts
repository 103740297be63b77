import type { AuditBody, AuditRecord } from '../../../domain/security/audit-record.ts';

/** An event by CloudEvents 1.0, in JSON. */
export interface CloudEvent {
  specversion: '1.0';
  /** Unique with the source: who has seen it drops it. */
  id: string;
  source: string;
  type: string;
  subject?: string;
  time: string;
  datacontenttype: 'application/json';
  data: unknown;
}

/** The media type of many of them in one request. */
export const batchMediaType = 'application/cloudevents-batch+json; charset=utf-8';

export const recordEvent = (
  origin: string,
  { position, body, leaf, chain }: AuditRecord,
): CloudEvent => {
  const record = JSON.parse(body) as AuditBody;
  const about = record.subject['run'] ?? record.subject['service'];
  return {
    specversion: '1.0',
    id: `${origin}/${String(position)}`,
    source: `/${origin}`,
    type: `holdfast.audit.${record.phase}`,
    ...(about === undefined ? {} : { subject: about }),
    time: record.at,
    datacontenttype: 'application/json',
    data: {
      record,
      leaf: Buffer.from(leaf).toString('hex'),
      chain: Buffer.from(chain).toString('hex'),
    },
  };
};

export const headEvent = (
  origin: string,
  head: { size: number; note: string; at: Date },
): CloudEvent => ({
  specversion: '1.0',
  id: `${origin}/head/${String(head.size)}`,
  source: `/${origin}`,
  type: 'holdfast.audit.head',
  time: head.at.toISOString(),
  datacontenttype: 'application/json',
  data: { size: head.size, note: head.note },
});
