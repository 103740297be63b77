import { createHash } from 'node:crypto';
import { unreadableBlob } from './blob-failures.ts';
import type { BlobSealer } from './blob-sealer.ts';
import type { BlobStore } from './port.ts';

/** Where sealed bytes lie under names of ours: hexadecimal digits, nothing else. */
export interface BlobPlace {
  /** Undefined if there is nothing of that name. */
  read(name: string): Promise<Buffer | undefined>;
  /** A reader sees the whole of it or nothing; what is there already stays as it is. */
  write(name: string, sealed: Buffer): Promise<void>;
  has(name: string): Promise<boolean>;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Before a name is made of it: what is no digest could name a file elsewhere. */
const requireDigest = (digest: string): void => {
  if (digestPattern.test(digest)) return;
  throw unreadableBlob(JSON.stringify(digest), 'is not named by a digest');
};

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export interface SealedBlobStoreParts {
  place: BlobPlace;
  /** Seals what is written now. */
  sealer: BlobSealer;
  /** Opens what was written before this one sealed; asked where it finds nothing. */
  earlier?: BlobSealer | undefined;
}

/** Blobs in a place, sealed, and named for callers by the digest of their plain text. */
export const createSealedBlobStore = (parts: SealedBlobStoreParts): BlobStore => {
  const { place, sealer, earlier } = parts;
  const sealers = earlier === undefined ? [sealer] : [sealer, earlier];
  const find = async (digest: string): Promise<Buffer> => {
    for (const each of sealers) {
      const sealed = await place.read(await each.nameOf(digest));
      if (sealed !== undefined) return each.open(sealed, digest);
    }
    throw unreadableBlob(digest, 'is not in the store');
  };
  return {
    async put(given) {
      // A copy: what the caller changes while this waits must not be stored under another's digest.
      const bytes = Uint8Array.from(given);
      const digest = digestOf(bytes);
      const sealed = await sealer.seal(bytes, digest);
      const name = await sealer.nameOf(digest);
      if (!(await place.has(name))) await place.write(name, sealed);
      return digest;
    },
    async get(digest) {
      requireDigest(digest);
      const bytes = await find(digest);
      if (digestOf(bytes) !== digest) {
        throw unreadableBlob(digest, 'holds other bytes than its name says');
      }
      return Uint8Array.from(bytes);
    },
    async has(digest) {
      requireDigest(digest);
      for (const each of sealers) {
        if (await place.has(await each.nameOf(digest))) return true;
      }
      return false;
    },
  };
};
