import { createHash } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { BlobStore } from '../../activities/store/port.ts';

/** A blob store in memory; passes the same conformance suite as the one on disk. */
export const createInMemoryBlobStore = (): BlobStore => {
  const blobs = new Map<string, Uint8Array>();
  return {
    put: (bytes) => {
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      blobs.set(digest, Uint8Array.from(bytes));
      return Promise.resolve(digest);
    },
    get: (digest) => {
      const bytes = blobs.get(digest);
      if (bytes !== undefined) return Promise.resolve(Uint8Array.from(bytes));
      return Promise.reject(
        ApplicationFailure.create({
          type: 'BLOB_UNREADABLE',
          message: `there is no blob ${digest}`,
          nonRetryable: true,
        }),
      );
    },
    has: (digest) => Promise.resolve(blobs.has(digest)),
  };
};
