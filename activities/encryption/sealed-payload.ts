import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
// The package's exports are made at run time, so that only its default is known to an ES module.
import protos from '@temporalio/proto';
import { scopeConflict, type PayloadScope } from '../../domain/security/payload-scope.ts';
import { codedFailure } from '../coded-failure.ts';
import type { KeyRing, RingKey } from './port.ts';

const { Payload: WirePayload } = protos.temporal.api.common.v1;

/** Encoding and the first two fields are named as in Temporal's own samples, so that tools know them. */
const fields = {
  encoding: 'encoding',
  keyId: 'encryption-key-id',
  algorithm: 'encryption-algorithm',
  namespace: 'encryption-namespace',
  workflowId: 'encryption-workflow-id',
} as const;

const sealedEncoding = 'binary/encrypted';
const algorithm = 'AES-256-GCM';
const cipherName = 'aes-256-gcm';
/** 96 bits, drawn anew for each payload (NIST SP 800-38D, 8.2.2). */
const nonceBytes = 12;
const tagBytes = 16;

const textOf = ({ metadata }: Payload, field: string): string | undefined => {
  const bytes = metadata?.[field];
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
};

export const isSealed = (payload: Payload): boolean =>
  textOf(payload, fields.encoding) === sealedEncoding;

/** Everything that stands open beside the sealed bytes, so that none of it can be exchanged. */
const authenticated = (keyId: string, { namespace, workflowId }: PayloadScope): Buffer =>
  Buffer.from(JSON.stringify([algorithm, keyId, namespace ?? null, workflowId ?? null]));

/** The payload, metadata included, as one that only the ring opens, and only in its scope. */
export const sealPayload = (payload: Payload, key: RingKey, scope: PayloadScope): Payload => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key.secret, nonce);
  cipher.setAAD(authenticated(key.id, scope));
  const body = [cipher.update(WirePayload.encode(payload).finish()), cipher.final()];
  const metadata = {
    [fields.encoding]: sealedEncoding,
    [fields.keyId]: key.id,
    [fields.algorithm]: algorithm,
    ...(scope.namespace === undefined ? {} : { [fields.namespace]: scope.namespace }),
    ...(scope.workflowId === undefined ? {} : { [fields.workflowId]: scope.workflowId }),
  };
  return {
    metadata: Object.fromEntries(
      Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text)]),
    ),
    data: Buffer.concat([nonce, ...body, cipher.getAuthTag()]),
  };
};

const unreadable = (keyId: string, reason: string, cause?: unknown): Error =>
  codedFailure(
    {
      code: 'PAYLOAD_UNREADABLE',
      message: `A payload that names the key ${keyId} ${reason}; it was not opened.`,
      subject: keyId,
    },
    { cause },
  );

/** The id of the key; a ring is asked for nothing else. @throws PAYLOAD_UNREADABLE */
const keyIdOf = (payload: Payload): string => {
  const id = textOf(payload, fields.keyId);
  if (id === undefined) throw unreadable('(none)', 'names no key');
  const named = textOf(payload, fields.algorithm);
  if (named === algorithm) return id;
  throw unreadable(id, `is sealed with ${String(named)}, which nobody here understands`);
};

/**
 * What was sealed.
 *
 * @throws PAYLOAD_KEY_MISSING, PAYLOAD_KEY_REVOKED; PAYLOAD_UNREADABLE if it was altered, or sealed
 * for another run or namespace
 */
export const openPayload = async (
  payload: Payload,
  ring: Pick<KeyRing, 'find'>,
  here: PayloadScope,
): Promise<Payload> => {
  const keyId = keyIdOf(payload);
  const sealedFor = {
    namespace: textOf(payload, fields.namespace),
    workflowId: textOf(payload, fields.workflowId),
  };
  const conflict = scopeConflict(sealedFor, here);
  if (conflict !== undefined) throw unreadable(keyId, `belongs to the ${conflict}`);
  const key = await ring.find(keyId);
  const bytes = Buffer.from(payload.data ?? []);
  if (bytes.length < nonceBytes + tagBytes) throw unreadable(keyId, 'is cut off');
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv(cipherName, key.secret, nonce, { authTagLength: tagBytes });
  decipher.setAAD(authenticated(keyId, sealedFor));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const body = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
    return WirePayload.decode(Buffer.concat([body, decipher.final()]));
  } catch (error) {
    throw unreadable(keyId, 'was altered, or its key is another one of the same name', error);
  }
};
