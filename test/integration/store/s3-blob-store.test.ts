import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createOpsClient } from '../../../client/index.ts';
import { createKeySealer } from '../../../activities/store/blob-sealer.ts';
import { readBlobLocation, type BlobLocation } from '../../../activities/store/blob-location.ts';
import { blobSettingsOf, openBlobStore } from '../../../activities/store/index.ts';
import { createBlobBucket, type S3Credentials } from '../../../activities/store/s3-blob-store.ts';
import { createSealedBlobStore } from '../../../activities/store/sealed-blob-store.ts';
import type { BlobStore } from '../../../activities/store/port.ts';
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { describeUnless } from '../../setup/describe-unless.ts';
import { startS3Server, whyNoOwnDisk, type S3Server } from '../../setup/s3-server.ts';

// The first machine to run this builds the server.
jest.setTimeout(20 * 60_000);

let server: S3Server;
const key = randomBytes(32);
const secret = new TextEncoder().encode('a planted secret');

beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('evidence');
});

afterAll(async () => server.remove());

const locationAt = (
  place: string,
  endpoint = server.endpoint,
): Extract<BlobLocation, { kind: 's3' }> => {
  const location = readBlobLocation(`s3://${place}?endpoint=${endpoint}&region=${server.region}`);
  if (location.kind !== 's3') throw new Error('that is no bucket');
  return location;
};

const storeAt = (
  location: Extract<BlobLocation, { kind: 's3' }>,
  credentials: S3Credentials = server.credentials,
): BlobStore =>
  createSealedBlobStore({
    place: createBlobBucket({ location, credentials }),
    sealer: createKeySealer({ readKey: () => Promise.resolve(key), names: 'keyed' }),
  });

/** Every file of the bucket, as who runs the service sees it. */
const objectsIn = async (place: string): Promise<string[]> => {
  const entries = await readdir(path.join(server.directory, place), {
    recursive: true,
    withFileTypes: true,
  });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
};

const freshPrefix = (): string => `evidence/${randomUUID()}`;

describeBlobStore('a bucket', () => Promise.resolve(storeAt(locationAt(freshPrefix()))));

describe('blobs in a bucket', () => {
  test('show neither what they hold nor the digest of it', async () => {
    const prefix = freshPrefix();
    const digest = await storeAt(locationAt(prefix)).put(secret);
    const [object = '', ...others] = await objectsIn(prefix);
    expect(others).toEqual([]);
    expect((await readFile(object)).includes(Buffer.from(secret))).toBe(false);
    expect(object).not.toContain(digest.slice('sha256:'.length));
  });

  test('are stored once, and read by whoever has the key', async () => {
    const prefix = freshPrefix();
    const digest = await storeAt(locationAt(prefix)).put(secret);
    const [object = ''] = await objectsIn(prefix);
    const before = await readFile(object);
    const another = storeAt(locationAt(prefix));
    expect(await another.put(secret)).toBe(digest);
    expect(await readFile(object)).toEqual(before);
    expect(await another.get(digest)).toEqual(secret);
  });

  test.each([0, 5, 20, 30])('are refused when byte %i was altered', async (position) => {
    const prefix = freshPrefix();
    const store = storeAt(locationAt(prefix));
    const digest = await store.put(secret);
    const [object = ''] = await objectsIn(prefix);
    const bytes = await readFile(object);
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    await writeFile(object, bytes);
    await expect(store.get(digest)).rejects.toMatchObject({ type: 'BLOB_UNREADABLE' });
  });

  test.each([
    '../key',
    'sha256:../../other',
    '..%2f..%2fother',
    'sha256:',
    `sha256:${'A'.repeat(64)}`,
  ])('are never asked for under a name that is no digest: %s', async (name) => {
    const store = storeAt(locationAt(freshPrefix()));
    await expect(store.get(name)).rejects.toMatchObject({ type: 'BLOB_UNREADABLE' });
    await expect(store.has(name)).rejects.toMatchObject({ type: 'BLOB_UNREADABLE' });
  });
});

describe('the settings of a bucket', () => {
  const environment = (keyFile: string) => ({
    HOLDFAST_BLOBS: `s3://${freshPrefix()}?endpoint=${server.endpoint}&region=${server.region}`,
    HOLDFAST_BLOB_KEY_FILE: keyFile,
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  });
  const opened = (variables: ReturnType<typeof environment>): BlobStore => {
    const settings = blobSettingsOf(variables);
    if (settings === undefined) throw new Error('no place is named');
    return openBlobStore(settings);
  };

  test('lead clients and workers to the same blobs', async () => {
    const keyFile = path.join(server.directory, '..', randomUUID());
    await writeFile(keyFile, key.toString('hex'), { mode: 0o600 });
    const variables = environment(keyFile);
    const digest = await opened(variables).put(secret);
    expect(await opened(variables).get(digest)).toEqual(secret);
  });

  test('are those of the facade, which stores manifests before anything starts', async () => {
    const keyFile = path.join(server.directory, '..', randomUUID());
    await writeFile(keyFile, key.toString('hex'), { mode: 0o600 });
    const variables = environment(keyFile);
    const before = { ...process.env };
    Object.assign(process.env, variables);
    const connection = Connection.lazy({ address: '127.0.0.1:1' });
    try {
      const ops = await createOpsClient({ client: new Client({ connection }) });
      const { manifestsDigest } = await ops.delivery.deployService.prepare({
        service: 'shop',
        environment: 'staging',
        manifests: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'in-the-bucket' } }],
      });
      const stored = await opened(variables).get(manifestsDigest);
      expect(Buffer.from(stored).toString()).toContain('in-the-bucket');
    } finally {
      for (const name of Object.keys(variables)) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
      await connection.close();
    }
  });

  test('make no key: two machines would make two', async () => {
    const keyFile = path.join(server.directory, '..', randomUUID());
    await expect(opened(environment(keyFile)).put(secret)).rejects.toMatchObject({
      type: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(keyFile),
    });
  });
});

describe('a bucket that cannot be used', () => {
  test('because the secret is another one says so, and waits for nobody', async () => {
    const store = storeAt(locationAt(freshPrefix()), {
      ...server.credentials,
      secretAccessKey: 'stolen and replaced',
    });
    const refusal = { type: 'BLOBS_ACCESS_DENIED', nonRetryable: true };
    await expect(store.put(secret)).rejects.toMatchObject(refusal);
  });

  test('because it is not there is a wrong setting', async () => {
    const store = storeAt(locationAt('nothing-here'));
    await expect(store.put(secret)).rejects.toMatchObject({ type: 'CONFIGURATION_INVALID' });
  });

  test('because the service is away is tried again, and nothing is lost by that', async () => {
    const store = storeAt(locationAt(freshPrefix()));
    const digest = await store.put(secret);
    await server.stop();
    const away = { type: 'BLOBS_UNREACHABLE', nonRetryable: false };
    await expect(store.get(digest)).rejects.toMatchObject(away);
    await expect(store.put(secret)).rejects.toMatchObject(away);
    await server.start();
    expect(await store.get(digest)).toEqual(secret);
  });
});

describeUnless(whyNoOwnDisk(), 'full disk on the blob store in a bucket', () => {
  test('loses nothing, says so with a code, and goes on when there is room', async () => {
    const small = await startS3Server({ diskKilobytes: 1_024 });
    try {
      await small.createBucket('evidence');
      const store = storeAt(locationAt('evidence', small.endpoint), small.credentials);
      const blobs = Array.from({ length: 40 }, () => randomBytes(60_000));
      const { kept, refusal } = await fillUp(store, blobs);
      expect(refusal).toMatchObject({ type: 'BLOBS_FULL', nonRetryable: false });
      expect(kept.length).toBeGreaterThan(3);
      for (const { digest, bytes } of kept)
        expect(Buffer.from(await store.get(digest))).toEqual(bytes);
      small.growDisk(8_192);
      const late = randomBytes(60_000);
      expect(Buffer.from(await store.get(await store.put(late)))).toEqual(late);
    } finally {
      await small.remove();
    }
  });
});

const fillUp = async (
  store: BlobStore,
  blobs: readonly Buffer[],
): Promise<{ kept: { digest: string; bytes: Buffer }[]; refusal: unknown }> => {
  const kept: { digest: string; bytes: Buffer }[] = [];
  for (const bytes of blobs) {
    try {
      kept.push({ digest: await store.put(bytes), bytes });
    } catch (refusal) {
      return { kept, refusal };
    }
  }
  return { kept, refusal: undefined };
};
