import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import {
  createKeyRingFile,
  keyManagementOf,
  openKeyManagement,
  revokeInKeyRingFile,
} from '../../../activities/encryption/index.ts';
import type { KeyManagement } from '../../../activities/encryption/port.ts';
import {
  blobSettingsOf,
  createFilesystemBlobStore,
  openBlobStore,
} from '../../../activities/store/index.ts';
import type { BlobStore } from '../../../activities/store/port.ts';
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { describeKeyManagement } from '../../conformance/key-management.ts';

const directories: string[] = [];

const freshDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-envelopes-'));
  directories.push(directory);
  return directory;
};

afterAll(async () => {
  await Promise.all(
    directories.map(async (directory) => rm(directory, { recursive: true, force: true })),
  );
});

const ringOf = (file: string): KeyManagement => {
  const settings = keyManagementOf({ HOLDFAST_BLOB_KEYS: file });
  if (settings === undefined) throw new Error('no key management is named');
  return openKeyManagement(settings);
};

const freshRing = async (): Promise<{ file: string; keys: KeyManagement }> => {
  const file = path.join(await freshDirectory(), 'ring.json');
  await createKeyRingFile(file, new Date());
  return { file, keys: ringOf(file) };
};

const storeIn = (directory: string, keys: KeyManagement): BlobStore => {
  const settings = blobSettingsOf({ HOLDFAST_BLOBS: directory });
  if (settings === undefined) throw new Error('no place is named');
  return openBlobStore(settings, keys);
};

const filesIn = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
};

describeKeyManagement('a key ring', async () => (await freshRing()).keys);
describeBlobStore('a directory, each in an envelope', async () =>
  storeIn(await freshDirectory(), (await freshRing()).keys),
);

const secret = new TextEncoder().encode('{"kind":"Secret","stringData":{"token":"planted"}}');
const other = new TextEncoder().encode('another blob');
const unreadable = { type: 'BLOB_UNREADABLE', nonRetryable: true };

/** Two blobs, each with its file. */
const stored = async () => {
  const directory = await freshDirectory();
  const { keys, file: ring } = await freshRing();
  const store = storeIn(directory, keys);
  const before = await filesIn(directory);
  const digest = await store.put(secret);
  const names = await filesIn(directory);
  const otherDigest = await store.put(other);
  const all = await filesIn(directory);
  // The first blob also made the key of the names; what is of the blob tells its digest to us only.
  const otherFile = all.find((name) => !names.includes(name)) ?? '';
  return { directory, store, keys, ring, digest, otherDigest, otherFile, files: all, before };
};

describe('blobs in envelopes', () => {
  test('show neither what they hold nor the digest of it, but the id of the key', async () => {
    const { files, digest, keys } = await stored();
    const { keyId } = await keys.describe();
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).not.toContain(digest.slice('sha256:'.length));
      const bytes = await readFile(file);
      expect(bytes.includes('planted')).toBe(false);
      expect(bytes.subarray(0, 200).includes(keyId)).toBe(true);
    }
  });

  test.each([0, 1, 2, 10, 60, 140, 160])(
    'are refused when byte %i was altered',
    async (position) => {
      const { store, otherDigest, otherFile } = await stored();
      const bytes = await readFile(otherFile);
      bytes[position] = (bytes[position] ?? 0) ^ 1;
      await writeFile(otherFile, bytes);
      await expect(store.get(otherDigest)).rejects.toMatchObject({
        type: expect.stringMatching(/^(BLOB_UNREADABLE|PAYLOAD_KEY_MISSING)$/),
      });
    },
  );

  test('are refused when they were cut off, or put under the name of another', async () => {
    const { store, digest, otherDigest, otherFile, files } = await stored();
    for (const file of files.filter((name) => name !== otherFile)) {
      await copyFile(file, otherFile);
      await expect(store.get(otherDigest)).rejects.toMatchObject(unreadable);
    }
    await writeFile(otherFile, (await readFile(otherFile)).subarray(0, 40));
    await expect(store.get(otherDigest)).rejects.toMatchObject(unreadable);
    expect(await store.get(digest)).toEqual(secret);
  });

  test('stay readable when the key is changed, and are written with the new one', async () => {
    const { directory, keys, ring, digest, store } = await stored();
    const { keyId } = await keys.rotate();
    const before = await filesIn(directory);
    await store.put(new TextEncoder().encode('written later'));
    const [added = ''] = (await filesIn(directory)).filter((file) => !before.includes(file));
    expect((await readFile(added)).includes(keyId)).toBe(true);
    // Another process, which knows nothing but the two places.
    expect(await storeIn(directory, ringOf(ring)).get(digest)).toEqual(secret);
  });

  test('of a revoked key are refused by its name', async () => {
    const { directory, keys, ring, digest } = await stored();
    const { keyId } = await keys.describe();
    await keys.rotate();
    await revokeInKeyRingFile(ring, keyId);
    await expect(storeIn(directory, ringOf(ring)).get(digest)).rejects.toMatchObject({
      type: 'PAYLOAD_KEY_REVOKED',
      message: expect.stringContaining(keyId),
    });
  });

  test('of processes that start at once are found by all of them', async () => {
    const directory = await freshDirectory();
    const { file } = await freshRing();
    const stores = Array.from({ length: 6 }, () => storeIn(directory, ringOf(file)));
    const digests = await Promise.all(
      stores.map(async (store, index) => store.put(new TextEncoder().encode(String(index)))),
    );
    const late = storeIn(directory, ringOf(file));
    for (const store of [...stores, late]) {
      for (const digest of digests) expect(await store.has(digest)).toBe(true);
    }
  });

  test('are written beside those of before, which stay readable', async () => {
    const directory = await freshDirectory();
    const digest = await createFilesystemBlobStore({ directory }).put(secret);
    const store = storeIn(directory, (await freshRing()).keys);
    expect(await store.get(digest)).toEqual(secret);
    expect(await store.has(digest)).toBe(true);
    const later = await store.put(other);
    const withoutKeys = createFilesystemBlobStore({ directory });
    await expect(withoutKeys.get(later)).rejects.toMatchObject(unreadable);
  });
});

describe('who keeps the keys of blobs', () => {
  test('is nobody, a key ring, or a key of a transit engine', () => {
    expect(keyManagementOf({ HOLDFAST_BLOB_KEYS: '' })).toBeUndefined();
    expect(keyManagementOf({ HOLDFAST_BLOB_KEYS: '/keys/ring.json' })).toEqual({
      kind: 'key ring',
      file: '/keys/ring.json',
    });
    const named = 'vault://blobs?endpoint=https://vault.example:8200&mount=teams/transit';
    expect(keyManagementOf({ HOLDFAST_BLOB_KEYS: named, VAULT_TOKEN: 't' })).toEqual({
      kind: 'transit',
      transit: {
        endpoint: 'https://vault.example:8200',
        mount: 'teams/transit',
        key: 'blobs',
        token: 't',
      },
    });
  });

  test.each([
    'vault://../sys?endpoint=https://vault.example',
    'vault://blobs?endpoint=https://vault.example&mount=../sys',
    'vault://blobs?endpoint=https://vault.example/v1',
    'vault://blobs',
    'kms://blobs',
  ])('is refused where it could lead elsewhere: %s', (named) => {
    expect(() => keyManagementOf({ HOLDFAST_BLOB_KEYS: named, VAULT_TOKEN: 't' })).toThrow(
      expect.objectContaining({ type: 'CONFIGURATION_INVALID' }),
    );
  });

  test('is asked over TLS, and with a token', () => {
    const named = 'vault://blobs?endpoint=http://vault.example';
    expect(() => keyManagementOf({ HOLDFAST_BLOB_KEYS: named, VAULT_TOKEN: 't' })).toThrow(
      expect.objectContaining({ type: 'STORE_NOT_PRIVATE' }),
    );
    const secure = 'vault://blobs?endpoint=https://vault.example';
    expect(() => keyManagementOf({ HOLDFAST_BLOB_KEYS: secure })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('VAULT_TOKEN') }),
    );
  });
});
