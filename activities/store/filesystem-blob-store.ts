import { randomBytes } from 'node:crypto';
import { access, link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { toDirectoryFailure } from './blob-failures.ts';
import { readOrCreateKey } from './blob-key.ts';
import { createKeySealer } from './blob-sealer.ts';
import type { BlobStore } from './port.ts';
import { createSealedBlobStore, type BlobPlace } from './sealed-blob-store.ts';

export interface FilesystemBlobStoreOptions {
  /** Made on first use. Blobs lie at `blobs/sha256/<two digits>/<digest>`, as object keys would. */
  directory: string;
  /** Default: `key` in the directory. */
  keyFile?: string | undefined;
}

/** Writes beside the place and links, so that a reader sees the whole blob or none, and the first stays. */
const writeAtOnce = async (file: string, bytes: Buffer): Promise<void> => {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`;
  try {
    // Flushed, because a disk may say only then that it has no room.
    await writeFile(draft, bytes, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, file);
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft).catch(() => undefined);
  }
};

const unlessMissing = async <Result>(work: Promise<Result>): Promise<Result | undefined> => {
  try {
    return await work;
  } catch (error) {
    if ((Object(error) as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
};

const translated = async <Result>(work: Promise<Result>, directory: string): Promise<Result> => {
  try {
    return await work;
  } catch (error) {
    throw toDirectoryFailure(error, directory);
  }
};

/** Sealed blobs as files of a directory. */
export const createBlobDirectory = (directory: string): BlobPlace => {
  const fileOf = (name: string): string =>
    path.join(directory, 'blobs', 'sha256', name.slice(0, 2), name);
  return {
    read: async (name) => translated(unlessMissing(readFile(fileOf(name))), directory),
    write: async (name, sealed) => translated(writeAtOnce(fileOf(name), sealed), directory),
    has: async (name) => {
      const found = unlessMissing(access(fileOf(name)).then(() => true));
      return (await translated(found, directory)) ?? false;
    },
  };
};

/** Blobs as files, encrypted with AES-256-GCM and named by the digest of their plain text. */
export const createFilesystemBlobStore = (options: FilesystemBlobStoreOptions): BlobStore => {
  const directory = path.resolve(options.directory);
  const keyFile = options.keyFile ?? path.join(directory, 'key');
  return createSealedBlobStore({
    place: createBlobDirectory(directory),
    sealer: createKeySealer({
      readKey: async () => translated(readOrCreateKey(keyFile), directory),
      names: 'digest',
    }),
  });
};
