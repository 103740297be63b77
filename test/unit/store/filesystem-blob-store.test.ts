import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { createFilesystemBlobStore } from '../../../activities/store/index.ts';
import { describeBlobStore } from '../../conformance/blob-store.ts';
import { createInMemoryBlobStore } from '../../fakes/in-memory-blob-store.ts';

const directories: string[] = [];

const freshDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(path.join(tmpdir(), 'holdfast-blobs-'));
  directories.push(directory);
  return directory;
};

afterAll(async () => {
  await Promise.all(
    directories.map(async (directory) => rm(directory, { recursive: true, force: true })),
  );
});

describeBlobStore('memory', () => Promise.resolve(createInMemoryBlobStore()));
describeBlobStore('a directory', async () =>
  createFilesystemBlobStore({ directory: await freshDirectory() }),
);

const secret = new TextEncoder().encode('a planted secret');

const stored = async () => {
  const directory = await freshDirectory();
  const store = createFilesystemBlobStore({ directory });
  const digest = await store.put(secret);
  const hex = digest.slice('sha256:'.length);
  const file = path.join(directory, 'blobs', 'sha256', hex.slice(0, 2), hex);
  return { directory, store, digest, file };
};

const unreadable = { type: 'BLOB_UNREADABLE', nonRetryable: true };

describe('blobs on disk', () => {
  test('do not show what they hold, and only their owner can read files and key', async () => {
    const { directory, file } = await stored();
    expect((await readFile(file)).includes(Buffer.from(secret))).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.join(directory, 'key'))).mode & 0o777).toBe(0o600);
  });

  test('leave no half-written files behind', async () => {
    const { directory } = await stored();
    const files = await readdir(directory, { recursive: true, withFileTypes: true });
    expect(files.filter((entry) => entry.isFile()).map(({ name }) => name)).toHaveLength(2);
  });

  test.each([0, 1, 5, 13, 20, 30])('are refused when byte %i was altered', async (position) => {
    const { store, digest, file } = await stored();
    const bytes = await readFile(file);
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(store.get(digest)).rejects.toMatchObject(unreadable);
  });

  test('are refused when they were cut off, or put under another name', async () => {
    const { store, digest, file } = await stored();
    const other = await store.put(new TextEncoder().encode('other'));
    const hex = other.slice('sha256:'.length);
    await copyFile(file, path.join(path.dirname(file), '..', hex.slice(0, 2), hex));
    await expect(store.get(other)).rejects.toMatchObject(unreadable);
    await writeFile(file, (await readFile(file)).subarray(0, 10));
    await expect(store.get(digest)).rejects.toMatchObject(unreadable);
  });

  test('are refused with another key', async () => {
    const { directory, digest } = await stored();
    const keyFile = path.join(await freshDirectory(), 'another');
    const other = createFilesystemBlobStore({ directory, keyFile });
    await expect(other.get(digest)).rejects.toMatchObject(unreadable);
  });

  test.each(['../key', 'sha256:../../key', 'sha256:', `sha256:${'A'.repeat(64)}`, 'key'])(
    'are never looked for under a name that is no digest: %s',
    async (name) => {
      const { store } = await stored();
      await expect(store.get(name)).rejects.toMatchObject(unreadable);
      await expect(store.has(name)).rejects.toMatchObject(unreadable);
    },
  );

  test('a key that others can read is refused, and said how to mend', async () => {
    const { directory, digest } = await stored();
    await chmod(path.join(directory, 'key'), 0o644);
    const store = createFilesystemBlobStore({ directory });
    const refusal = { type: 'CONFIGURATION_INVALID' };
    await expect(store.get(digest)).rejects.toMatchObject(refusal);
    await expect(store.put(secret)).rejects.toMatchObject(refusal);
    await chmod(path.join(directory, 'key'), 0o600);
    expect(await store.get(digest)).toEqual(secret);
  });

  test('a key file without a key is refused, not replaced', async () => {
    const { directory } = await stored();
    await writeFile(path.join(directory, 'key'), 'not a key');
    const store = createFilesystemBlobStore({ directory });
    await expect(store.put(secret)).rejects.toMatchObject({ type: 'CONFIGURATION_INVALID' });
    expect(await readFile(path.join(directory, 'key'), 'utf8')).toBe('not a key');
  });

  test('processes that start at once end with one key', async () => {
    const directory = await freshDirectory();
    const module = path.resolve(import.meta.dirname, '../../../activities/store/index.ts');
    const program = `
      import { createFilesystemBlobStore } from ${JSON.stringify(module)};
      const store = createFilesystemBlobStore({ directory: process.argv[1] });
      process.stdout.write(await store.put(new TextEncoder().encode('from ' + process.argv[2])));
    `;
    const digests = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => {
        const args = ['--input-type=module', '-e', program, directory, name];
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        await once(child, 'close');
        return output;
      }),
    );
    const store = createFilesystemBlobStore({ directory });
    const texts = await Promise.all(
      digests.map(async (digest) => Buffer.from(await store.get(digest)).toString()),
    );
    expect(texts).toEqual(['from a', 'from b', 'from c', 'from d']);
  });
});
