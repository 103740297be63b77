import type { WorkflowHandle } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { createPayloadCodec, openKeyRing } from '../../../activities/encryption/index.ts';

/** A history as the server gives it, and what a holder of the key ring reads in it. */
export interface SealedHistory {
  /** For a replay. */
  history: unknown;
  /** Every string and every byte of it, one after the other. */
  stored: string;
  /** The same after decoding. */
  read: string;
  /** Ids of the keys that its payloads are sealed with. */
  keyIds: Set<string>;
  /** Payloads in clear, search attributes left out. */
  clear: string[];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isBytes = (value: unknown): value is Uint8Array => ArrayBuffer.isView(value);

const isPayload = (value: unknown): value is Payload =>
  isRecord(value) && isRecord(value['metadata']) && isBytes(value['metadata']['encoding']);

/** Latin-1, so that no byte is lost or merged with its neighbour. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

interface Found {
  texts: string[];
  payloads: Payload[];
}

const collect = (value: unknown, found: Found): void => {
  if (typeof value === 'string') found.texts.push(value);
  if (isBytes(value)) {
    found.texts.push(textOf(value));
    return;
  }
  if (!isRecord(value)) return;
  if (isPayload(value)) found.payloads.push(value);
  for (const [name, inner] of Object.entries(value)) {
    found.texts.push(name);
    collect(inner, found);
  }
};

/** Search attributes are payloads that the server itself has to read. */
const withoutSearchAttributes = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutSearchAttributes);
  if (!isRecord(value) || isBytes(value)) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'searchAttributes');
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutSearchAttributes(inner)]));
};

const keyIdOf = ({ metadata }: Payload): string[] => {
  const id = metadata?.['encryption-key-id'];
  return id === undefined ? [] : [textOf(id)];
};

const dataOf = ({ data }: Payload): string => textOf(data ?? new Uint8Array());

export const readSealedHistory = async (
  handle: WorkflowHandle,
  codec: PayloadCodec,
): Promise<SealedHistory> => {
  const history = await handle.fetchHistory();
  const all: Found = { texts: [], payloads: [] };
  collect(history, all);
  const ours: Found = { texts: [], payloads: [] };
  collect(withoutSearchAttributes(history), ours);
  const opened = await codec.decode(ours.payloads);
  return {
    history,
    stored: all.texts.join('\n'),
    read: opened.map(dataOf).join('\n'),
    keyIds: new Set(ours.payloads.flatMap(keyIdOf)),
    clear: ours.payloads.filter((payload) => keyIdOf(payload).length === 0).map(dataOf),
  };
};

export const codecOf = async (keyRingFile: string): Promise<PayloadCodec> =>
  createPayloadCodec(await openKeyRing(keyRingFile));
