import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { unreadableBlob } from './blob-failures.ts';

/** Hides blobs from whoever holds the place where they lie. */
export interface BlobSealer {
  /** Under what name a blob lies; hexadecimal digits. */
  nameOf(digest: string): Promise<string>;
  seal(bytes: Uint8Array, digest: string): Promise<Buffer>;
  /** @throws BLOB_UNREADABLE if altered, of another blob, or sealed with another key */
  open(sealed: Buffer, digest: string): Promise<Buffer>;
}

const cipherName = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Nonce, tag and cipher text. What is authenticated too is the place: it opens nowhere else. */
export const encrypt = (key: Uint8Array, bytes: Uint8Array, place: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce);
  cipher.setAAD(Buffer.from(place));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
};

/** @throws any error if the bytes are cut off, altered, of another place or key */
export const decrypt = (key: Uint8Array, sealed: Buffer, place: string): Buffer => {
  if (sealed.length < nonceBytes + tagBytes) throw new Error('it is cut off');
  const nonce = sealed.subarray(0, nonceBytes);
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
};

/** First byte of a blob, so that formats can follow each other. */
export const formatOf = (sealed: Buffer): number | undefined => sealed[0];

const fileKeyFormat = 1;

/**
 * A name that only those with the key can tell the content of: whoever lists the place could
 * otherwise try which of a few possible contents, such as passwords, gives that digest.
 */
export const keyedName = (key: Uint8Array, digest: string): string =>
  createHmac('sha256', key).update(digest).digest('hex');

const namesPurpose = 'holdfast blob names';

export interface KeySealerOptions {
  readKey: () => Promise<Buffer>;
  /** `digest`: of the plain text, for a directory that is as private as the key beside it. */
  names: 'digest' | 'keyed';
}

/** Seals with one key, straight. */
export const createKeySealer = ({ readKey, names }: KeySealerOptions): BlobSealer => {
  let key: Promise<Buffer> | undefined;
  const theKey = async (): Promise<Buffer> => {
    key ??= readKey();
    try {
      return await key;
    } catch (error) {
      key = undefined;
      throw error;
    }
  };
  return {
    nameOf: async (digest) => {
      if (names === 'digest') return digest.slice('sha256:'.length);
      const nameKey = createHmac('sha256', await theKey())
        .update(namesPurpose)
        .digest();
      return keyedName(nameKey, digest);
    },
    seal: async (bytes, digest) =>
      Buffer.concat([Buffer.from([fileKeyFormat]), encrypt(await theKey(), bytes, digest)]),
    open: async (sealed, digest) => {
      if (formatOf(sealed) !== fileKeyFormat) {
        throw unreadableBlob(digest, 'is cut off, or of an unknown format');
      }
      const readable = await theKey();
      try {
        return decrypt(readable, sealed.subarray(1), digest);
      } catch (error) {
        throw unreadableBlob(digest, 'was altered, or written with another key', error);
      }
    },
  };
};
