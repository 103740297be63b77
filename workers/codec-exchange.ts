import type { IncomingMessage } from 'node:http';
import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { CodecRefusal } from './codec-refusal.ts';

/** The server itself takes no payload over 2 MiB; in base64, with metadata, that fits twice. */
export const maxBodyBytes = 6 * 1024 * 1024;

const Base64 = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/);

/** Payloads as the JSON form of protobuf writes them: bytes in base64. */
const PayloadsJson = z.object({
  payloads: z.array(
    z.object({ metadata: z.record(z.string(), Base64).optional(), data: Base64.optional() }),
  ),
});

/** @throws CodecRefusal INVALID_INPUT, CODEC_REQUEST_TOO_LARGE */
export const readRequestBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The stream outlives a refusal, which is sent over the same connection.
  const unread: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of unread) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) {
      throw new CodecRefusal(
        'CODEC_REQUEST_TOO_LARGE',
        `The body has more than ${maxBodyBytes} bytes; nothing was decoded.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** @throws CodecRefusal INVALID_INPUT; it does not quote the body */
export const parsePayloads = (body: string): Payload[] => {
  const invalid = new CodecRefusal(
    'INVALID_INPUT',
    'The body is not {"payloads":[{"metadata":{…},"data":"…"}]} with values in base64; nothing was decoded.',
  );
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch {
    throw invalid;
  }
  const outcome = PayloadsJson.safeParse(content);
  if (!outcome.success) throw invalid;
  return outcome.data.payloads.map(({ metadata = {}, data = '' }) => ({
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')]),
    ),
    data: Buffer.from(data, 'base64'),
  }));
};

const base64Of = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString('base64');

export const printPayloads = (payloads: readonly Payload[]): string =>
  JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64Of(bytes)]),
      ),
      data: base64Of(data),
    })),
  });
