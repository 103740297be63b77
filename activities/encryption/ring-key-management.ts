import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { codedFailure } from '../coded-failure.ts';
import { openKeyRing } from './filesystem-key-ring.ts';
import { listKeys, rotateKeyRingFile } from './key-ring-file.ts';
import type { KeyDescription, KeyManagement, KeyRing, RingKey } from './port.ts';

const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** One ring may seal payloads too; a key of its own for each purpose keeps them apart. */
const wrappingKey = ({ secret }: RingKey): Buffer =>
  createHmac('sha256', secret).update('holdfast data keys').digest();

const unreadable = (keyId: string, place: string, cause: unknown): Error =>
  codedFailure(
    {
      code: 'BLOB_UNREADABLE',
      message: `The data key of ${place} was altered, is of another place, or ${keyId} is another key of the same name.`,
      subject: place,
    },
    { cause },
  );

const wrapWith = (key: RingKey, dataKey: Uint8Array, place: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, wrappingKey(key), nonce);
  cipher.setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(dataKey), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
};

const unwrapWith = (key: RingKey, wrapped: Uint8Array, place: string): Buffer => {
  const bytes = Buffer.from(wrapped);
  try {
    const nonce = bytes.subarray(0, nonceBytes);
    const decipher = createDecipheriv(cipherName, wrappingKey(key), nonce, {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    const body = bytes.subarray(nonceBytes + tagBytes);
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch (error) {
    throw unreadable(key.id, place, error);
  }
};

/** Wraps data keys with the key ring in a file. */
export const createRingKeyManagement = (file: string): KeyManagement => {
  let ring: Promise<KeyRing> | undefined;
  const theRing = async (): Promise<KeyRing> => {
    ring ??= openKeyRing(file);
    try {
      return await ring;
    } catch (error) {
      ring = undefined;
      throw error;
    }
  };
  const describe = async (): Promise<KeyDescription> => {
    const keys = await listKeys(file);
    const active = keys.find(({ state }) => state === 'active');
    const readable = keys.filter(({ state }) => state !== 'revoked');
    return { keeper: 'key ring', keyId: active?.id ?? '', readableKeys: readable.length };
  };
  return {
    wrap: async (dataKey, place) => {
      const key = await (await theRing()).active();
      return { keyId: key.id, wrapped: wrapWith(key, dataKey, place) };
    },
    unwrap: async ({ keyId, wrapped }, place) =>
      unwrapWith(await (await theRing()).find(keyId), wrapped, place),
    describe,
    rotate: async () => {
      await rotateKeyRingFile(file, new Date());
      ring = undefined;
      return describe();
    },
  };
};
