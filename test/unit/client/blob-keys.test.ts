import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createKeyRingFile, listKeys } from '../../../activities/encryption/index.ts';
import { showBlobKeys } from '../../../client/cli/blob-keys.ts';
import type { BlobKeysFlags } from '../../../client/cli/keys-verb.ts';

let folder: string;
let ring: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-blob-keys-'));
  ring = path.join(folder, 'ring.json');
  await createKeyRingFile(ring, new Date());
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

const run = async (flags: BlobKeysFlags): Promise<string> => {
  let output = '';
  const terminal = {
    stdout: { write: (text: string) => (output += text) },
    stderr: { write: () => undefined },
    stdin: process.stdin,
    canAsk: false,
    colour: false,
  };
  await showBlobKeys({ terminal, end: () => undefined }, flags);
  return output;
};

describe('holdfast keys blobs', () => {
  test('names the key that wraps, and makes another one where it is asked to', async () => {
    const before = JSON.parse(await run({ keys: ring, json: true })) as { keyId: string };
    expect(before).toMatchObject({ keeper: 'key ring', readableKeys: 1 });
    const said = await run({ keys: ring, rotate: true });
    expect(said).not.toContain(before.keyId);
    expect(said).toContain('2 readable');
    expect(await listKeys(ring)).toContainEqual(
      expect.objectContaining({ id: before.keyId, state: 'read-only' }),
    );
  });

  test('says what to set where nobody keeps keys', async () => {
    await expect(run({ keys: '' })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      next: expect.stringContaining('HOLDFAST_BLOB_KEYS'),
    });
  });
});
