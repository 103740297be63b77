import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { keyManagementOf, openKeyManagement } from '../../../activities/encryption/index.ts';
import type { KeyManagement } from '../../../activities/encryption/port.ts';
import { blobSettingsOf, openBlobStore } from '../../../activities/store/index.ts';
import type { BlobStore } from '../../../activities/store/port.ts';
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { describeKeyManagement } from '../../conformance/key-management.ts';
import { startTransitServer, type TransitServer } from '../../setup/transit-server.ts';

// The first machine to run this builds the engine.
jest.setTimeout(20 * 60_000);

let server: TransitServer;
let folder: string;
const secret = new TextEncoder().encode('a planted secret');

beforeAll(async () => {
  server = await startTransitServer();
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-transit-'));
});

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const freshKey = async (): Promise<string> => {
  const name = `blobs-${randomUUID()}`;
  await server.request(`keys/${name}`, { type: 'aes256-gcm96' });
  return name;
};

const keysOf = (
  key: string,
  { token, endpoint }: { token: string; endpoint: string } = server,
): KeyManagement => {
  const settings = keyManagementOf({
    HOLDFAST_BLOB_KEYS: `vault://${key}?endpoint=${endpoint}`,
    VAULT_TOKEN: token,
  });
  if (settings === undefined) throw new Error('no key management is named');
  return openKeyManagement(settings);
};

const storeIn = (directory: string, keys: KeyManagement): BlobStore => {
  const settings = blobSettingsOf({ HOLDFAST_BLOBS: path.join(folder, directory) });
  if (settings === undefined) throw new Error('no place is named');
  return openBlobStore(settings, keys);
};

describeKeyManagement('a transit engine', async () => keysOf(await freshKey()));
describeBlobStore('a directory, each in an envelope of a transit engine', async () =>
  storeIn(randomUUID(), keysOf(await freshKey())),
);

describe('blobs in envelopes of a transit engine', () => {
  test('stay readable through a rotation, until their version is given up', async () => {
    const key = await freshKey();
    const directory = randomUUID();
    const store = storeIn(directory, keysOf(key));
    const old = await store.put(secret);
    await keysOf(key).rotate();
    const late = await store.put(new TextEncoder().encode('written later'));
    // Another process, which has nothing in memory.
    const another = storeIn(directory, keysOf(key));
    expect(await another.get(old)).toEqual(secret);
    expect(await another.has(late)).toBe(true);
    await server.request(`keys/${key}/config`, { min_decryption_version: 2 });
    await expect(another.get(old)).rejects.toMatchObject({ type: 'BLOB_UNREADABLE' });
  });

  test('cannot be opened with what lies beside them, and not with another key', async () => {
    const directory = randomUUID();
    const digest = await storeIn(directory, keysOf(await freshKey())).put(secret);
    const entries = await readdir(path.join(folder, directory), {
      recursive: true,
      withFileTypes: true,
    });
    const files = entries.filter((entry) => entry.isFile());
    expect(files).toHaveLength(2);
    for (const { parentPath, name } of files) {
      expect((await readFile(path.join(parentPath, name))).includes(Buffer.from(secret))).toBe(
        false,
      );
    }
    const stranger = storeIn(directory, keysOf(await freshKey()));
    await expect(stranger.get(digest)).rejects.toMatchObject({ type: 'BLOB_UNREADABLE' });
  });
});

describe('a transit engine that cannot be used', () => {
  test('because the token is none says so, without the token', async () => {
    const keys = keysOf(await freshKey(), { ...server, token: 'planted-token' });
    await expect(keys.wrap(secret, 'here')).rejects.toMatchObject({
      type: 'KEYS_ACCESS_DENIED',
      nonRetryable: true,
      message: expect.not.stringContaining('planted-token'),
    });
  });

  test('because nobody answers is tried again', async () => {
    const keys = keysOf('blobs', { ...server, endpoint: 'http://127.0.0.1:1' });
    await expect(keys.wrap(secret, 'here')).rejects.toMatchObject({
      type: 'KEYS_UNREACHABLE',
      nonRetryable: false,
    });
  });

  test('because there is no such key is a wrong setting', async () => {
    await expect(keysOf('nothing-here').describe()).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
    });
  });
});
