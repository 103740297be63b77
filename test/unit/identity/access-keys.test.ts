import { chmodSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  contentDigestOf,
  createFilesystemAccessKeys,
  makeAccessKey,
  readAccessKey,
  signCommand,
} from '../../../activities/identity/index.ts';
import { isSignedBy } from '../../../activities/identity/access-key-text.ts';
import { keyProblem } from '../../../domain/security/access-key.ts';
import { describeAccessKeys } from '../../conformance/access-keys.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';

let folder: AccessFolder;
let serial = 0;

beforeAll(() => {
  folder = createAccessFolder();
});
afterAll(() => folder.remove());

describeAccessKeys('a file', async () => {
  serial += 1;
  return createFilesystemAccessKeys(folder.pathOf(`keys-${String(serial)}.json`));
});

describe('an access key', () => {
  test('is stored without what its holder signs with', async () => {
    const { text } = await folder.keyFor('rita@example.com');
    const secret = text.split('.').at(-1) ?? '';
    expect(secret).toHaveLength(43);
    expect(readFileSync(folder.keysFile, 'utf8')).not.toContain(secret);
  });

  test('signs what the stored half verifies, and nothing else', () => {
    const { text, publicKey } = makeAccessKey('rita@example.com');
    const command = '{"action":"deployService.start"}';
    const signature = signCommand(readAccessKey(text), command);
    expect(isSignedBy(publicKey, { command, signature })).toBe(true);
    expect(isSignedBy(publicKey, { command: `${command} `, signature })).toBe(false);
    expect(isSignedBy(makeAccessKey('rita@example.com').publicKey, { command, signature })).toBe(
      false,
    );
    for (const odd of ['', 'x', 'A'.repeat(86)]) {
      expect(isSignedBy(publicKey, { command, signature: odd })).toBe(false);
      expect(isSignedBy(odd, { command, signature })).toBe(false);
    }
  });

  test('that was cut off is refused without being quoted', () => {
    const { text } = makeAccessKey('rita@example.com');
    for (const broken of ['', 'holdfast-key', text.slice(0, -9), `${text}.more`]) {
      let told = '';
      try {
        readAccessKey(broken);
      } catch (error) {
        told = String(error);
      }
      expect(told).toContain('The access key is not what');
      expect(told).not.toContain(text.split('.').at(-1)?.slice(0, 20));
    }
  });

  test('in a file that others can read is not used', async () => {
    const file = folder.pathOf('open.json');
    const keys = createFilesystemAccessKeys(file);
    await keys.revoke('a-1', new Date().toISOString());
    chmodSync(file, 0o644);
    await expect(keys.list()).rejects.toMatchObject({ type: 'CONFIGURATION_INVALID' });
  });

  test('is refused outside its scope, after its end and after it was revoked', () => {
    const use = {
      atMs: Date.UTC(2026, 3, 1),
      environment: 'staging',
      action: 'deployService.start',
    };
    const key = {
      ...{ id: 'a-1', holder: 'rita@example.com', publicKey: '' },
      scope: { environments: ['staging'], actions: ['deployService.start'] },
      createdAt: '2026-03-01T00:00:00.000Z',
      expiresAt: '2026-06-01T00:00:00.000Z',
    };
    expect(keyProblem(key, use)).toBeUndefined();
    expect(keyProblem(key, { ...use, environment: 'prod' })).toContain('for staging only');
    expect(keyProblem(key, { ...use, action: 'deployService.skip' })).toContain('only');
    expect(keyProblem(key, { ...use, atMs: Date.UTC(2026, 5, 1) })).toContain('expired');
    const revoked = { ...key, revokedAt: '2026-05-01T00:00:00.000Z' };
    // Also for what was asked before: a revoked key may have been stolen long ago.
    expect(keyProblem(revoked, use)).toContain('revoked');
  });
});

describe('the digest of a message', () => {
  test('is the same before and after it travelled, and leaves out the proof alone', () => {
    const message = { actor: 'a', reason: 'b', requestedBy: { actor: 'a', proof: 'p' } };
    const digest = contentDigestOf(message);
    expect(contentDigestOf({ ...message, proof: 'q', later: undefined })).toBe(digest);
    expect(contentDigestOf({ ...message, requestedBy: { actor: 'a' } })).toBe(digest);
    expect(contentDigestOf({ ...message, reason: 'c' })).not.toBe(digest);
  });
});
