import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobStore } from '../../activities/store/port.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** The promises of a blob store, whatever it keeps the bytes in. */
export const describeBlobStore = (name: string, openStore: () => Promise<BlobStore>): void => {
  describe(`blobs in ${name}`, () => {
    let store: BlobStore;

    beforeEach(async () => {
      store = await openStore();
    });

    test('are named by the digest of their bytes and come back as they were', async () => {
      const digest = await store.put(bytesOf('a manifest'));
      expect(digest).toBe(digestOf('a manifest'));
      expect(Buffer.from(await store.get(digest)).toString()).toBe('a manifest');
      expect(await store.has(digest)).toBe(true);
    });

    test('may be empty, and may be stored twice, also at once', async () => {
      const empty = await store.put(new Uint8Array());
      expect(await store.get(empty)).toHaveLength(0);
      const names = await Promise.all(
        Array.from({ length: 8 }, async () => store.put(bytesOf('the same'))),
      );
      expect(new Set(names)).toEqual(new Set([digestOf('the same')]));
      expect(Buffer.from(await store.get(digestOf('the same'))).toString()).toBe('the same');
    });

    test('that are not there are an error with a code, never an empty answer', async () => {
      const digest = digestOf('never stored');
      expect(await store.has(digest)).toBe(false);
      await expect(store.get(digest)).rejects.toMatchObject({
        type: 'BLOB_UNREADABLE',
        nonRetryable: true,
      });
    });

    test('belong to the store: changing what came out or went in changes nothing', async () => {
      const bytes = bytesOf('unchanged');
      const digest = await store.put(bytes);
      bytes.fill(0);
      (await store.get(digest)).fill(0);
      expect(Buffer.from(await store.get(digest)).toString()).toBe('unchanged');
    });
  });
};
