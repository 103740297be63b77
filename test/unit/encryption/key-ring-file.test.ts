import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { openKeyRing } from '../../../activities/encryption/filesystem-key-ring.ts';
import {
  createKeyRingFile,
  listKeys,
  revokeInKeyRingFile,
  rotateKeyRingFile,
} from '../../../activities/encryption/key-ring-file.ts';
import { errorOf, openRingFolder, secretsIn } from './ring-folder.ts';

const folder = openRingFolder();
afterAll(() => folder.remove());

const at = new Date('2026-01-31T12:00:00.000Z');
const written = (text: string, mode = 0o600): string => {
  const file = folder.newPath();
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, { mode });
  return file;
};

describe('the file of a key ring', () => {
  test('is for its owner only, from the moment it is there', async () => {
    const file = folder.newPath();
    const key = await createKeyRingFile(file, at);
    expect(key).toEqual({
      id: expect.stringMatching(/^k20260131-[0-9a-f]{6}$/),
      createdAt: at.toISOString(),
      state: 'active',
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await rotateKeyRingFile(file, at);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('is not used when others may read it', async () => {
    const file = folder.newPath();
    await createKeyRingFile(file, at);
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(file, mode);
      const error = await errorOf(openKeyRing(file));
      expect(error.type).toBe('CONFIGURATION_INVALID');
      expect(error.message).toContain(`mode ${mode.toString(8)}`);
      expect((await errorOf(rotateKeyRingFile(file, at))).type).toBe('CONFIGURATION_INVALID');
    }
    chmodSync(file, 0o400);
    expect(await listKeys(file)).toHaveLength(1);
  });

  test('is never replaced by a new one', async () => {
    const file = folder.newPath();
    await createKeyRingFile(file, at);
    const before = readFileSync(file, 'utf8');
    expect((await errorOf(createKeyRingFile(file, at))).message).toContain('is there already');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('loses no key when two commands rotate at once', async () => {
    const file = folder.newPath();
    await createKeyRingFile(file, at);
    const ends = await Promise.allSettled([1, 2, 3].map(() => rotateKeyRingFile(file, at)));
    const made = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value.id] : []));
    expect(made.length).toBeGreaterThan(0);
    const ids = (await listKeys(file)).map(({ id }) => id);
    expect(ids.slice(1)).toEqual(expect.arrayContaining(made));
    expect(ids).toHaveLength(made.length + 1);
  });

  test('does not give up the key that writes', async () => {
    const file = folder.newPath();
    const first = await createKeyRingFile(file, at);
    expect(await errorOf(revokeInKeyRingFile(file, first.id))).toMatchObject({
      type: 'INVALID_INPUT',
      details: [{ next: expect.stringContaining('holdfast keys rotate') }],
    });
    await rotateKeyRingFile(file, at);
    expect(await revokeInKeyRingFile(file, first.id)).toMatchObject({ state: 'revoked' });
    expect(await errorOf(revokeInKeyRingFile(file, 'k1'))).toMatchObject({ type: 'INVALID_INPUT' });
  });

  test('that is wrong is refused by the name of the field, and never quoted', async () => {
    const good = folder.newPath();
    await createKeyRingFile(good, at);
    const text = readFileSync(good, 'utf8');
    const [secret = ''] = secretsIn(good);
    const wrong = [
      [text.slice(0, -20), 'not JSON'],
      [text.replace(secret, secret.slice(0, 20)), 'keys.0.key'],
      [text.replace('"active"', '"read-only"'), 'exactly one key must be active'],
      [text.replace('key-ring/1', 'key-ring/9'), 'format'],
    ] as const;
    for (const [content, reason] of wrong) {
      const { message, stack } = await errorOf(openKeyRing(written(content)));
      expect(message).toContain(reason);
      expect(`${message} ${String(stack)}`).not.toContain(secret.slice(0, 20));
    }
    expect((await errorOf(openKeyRing(folder.newPath()))).message).toContain(
      'There is no key ring',
    );
  });
});
