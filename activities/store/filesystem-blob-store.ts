import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { codedFailure } from '../coded-failure.ts';
import { readOrCreateKey } from './blob-key.ts';
import type { BlobStore } from './port.ts';

export interface FilesystemBlobStoreOptions {
  /** Made on first use. Blobs lie at `blobs/sha256/<two digits>/<digest>`, as object keys would. */
  directory: string;
  /** Default: `key` in the directory. */
  keyFile?: string | undefined;
}

const digestPattern = /^sha256:([0-9a-f]{64})$/;
const cipherName = 'aes-256-gcm';
/** First byte of a file, so that another format can follow. */
const formatVersion = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

const unreadable = (digest: string, reason: string, cause?: unknown): Error =>
  codedFailure(
    { code: 'BLOB_UNREADABLE', message: `Blob ${digest} ${reason}.`, subject: digest },
    { cause },
  );

const hexOf = (digest: string): string => {
  const hex = digestPattern.exec(digest)?.[1];
  if (hex === undefined) throw unreadable(JSON.stringify(digest), 'is not named by a digest');
  return hex;
};

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The digest is authenticated too: a file that was put under another name does not open. */
const seal = (key: Buffer, bytes: Uint8Array, digest: string): Buffer => {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(cipherName, key, nonce);
  cipher.setAAD(Buffer.from(digest));
  const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
  return Buffer.concat([Buffer.from([formatVersion]), nonce, cipher.getAuthTag(), body]);
};

const unseal = (key: Buffer, sealed: Buffer, digest: string): Buffer => {
  if (sealed.length < headBytes || sealed[0] !== formatVersion) {
    throw unreadable(digest, 'is cut off, or of an unknown format');
  }
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decipher = createDecipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(digest));
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]);
  } catch (error) {
    throw unreadable(digest, 'was altered, or written with another key', error);
  }
};

const exists = async (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Writes beside the place and renames, so that a reader sees the whole blob or none. */
const writeAtOnce = async (file: string, bytes: Buffer): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  try {
    await writeFile(draft, bytes, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
};

/** Blobs as files, encrypted with AES-256-GCM and named by the digest of their plain text. */
export const createFilesystemBlobStore = (options: FilesystemBlobStoreOptions): BlobStore => {
  const directory = path.resolve(options.directory);
  const keyFile = options.keyFile ?? path.join(directory, 'key');
  let key: Promise<Buffer> | undefined;
  const theKey = async (): Promise<Buffer> => {
    key ??= readOrCreateKey(keyFile);
    try {
      return await key;
    } catch (error) {
      key = undefined;
      throw error;
    }
  };
  const fileOf = (digest: string): string => {
    const hex = hexOf(digest);
    return path.join(directory, 'blobs', 'sha256', hex.slice(0, 2), hex);
  };
  return {
    async put(bytes) {
      const digest = digestOf(bytes);
      const file = fileOf(digest);
      const sealed = seal(await theKey(), bytes, digest);
      if (!(await exists(file))) await writeAtOnce(file, sealed);
      return digest;
    },
    async get(digest) {
      const file = fileOf(digest);
      const sealed = await readFile(file).catch((error: unknown) => {
        throw unreadable(digest, 'is not in the store', error);
      });
      const bytes = unseal(await theKey(), sealed, digest);
      if (digestOf(bytes) !== digest)
        throw unreadable(digest, 'holds other bytes than its name says');
      return Uint8Array.from(bytes);
    },
    async has(digest) {
      return exists(fileOf(digest));
    },
  };
};
