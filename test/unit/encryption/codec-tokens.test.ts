import { readFileSync, statSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import {
  createFilesystemCodecTokens,
  issueCodecToken,
  listCodecTokens,
  withdrawCodecToken,
} from '../../../activities/encryption/filesystem-codec-tokens.ts';
import { errorOf, openRingFolder } from './ring-folder.ts';

const folder = openRingFolder();
afterAll(() => folder.remove());

const at = new Date('2026-01-31T12:00:00.000Z');
const request = { holder: 'ana@example.com', at, lifetimeMs: 60_000 };

test('a token is known until it expires, and its secret is in no file', async () => {
  const file = folder.newPath();
  const { token, entry } = await issueCodecToken(file, request);
  const tokens = createFilesystemCodecTokens(file);
  expect(await tokens.verify(token, at.getTime())).toEqual(entry);
  expect(await tokens.verify(token, at.getTime() + 59_999)).toEqual(entry);
  expect(await tokens.verify(token, at.getTime() + 60_000)).toBeUndefined();
  expect(await tokens.verify(`${token}x`, at.getTime())).toBeUndefined();
  expect(await tokens.verify('', at.getTime())).toBeUndefined();
  expect(readFileSync(file, 'utf8')).not.toContain(token.slice(-20));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a token that is withdrawn is void at once, and the others are not', async () => {
  const file = folder.newPath();
  const gone = await issueCodecToken(file, request);
  const kept = await issueCodecToken(file, { ...request, holder: 'ben@example.com' });
  const tokens = createFilesystemCodecTokens(file);
  expect(await withdrawCodecToken(file, gone.entry.id)).toEqual(gone.entry);
  expect(await tokens.verify(gone.token, at.getTime())).toBeUndefined();
  expect(await tokens.verify(kept.token, at.getTime())).toEqual(kept.entry);
  expect(await listCodecTokens(file)).toEqual([kept.entry]);
  expect(await errorOf(withdrawCodecToken(file, 't-0'))).toMatchObject({ type: 'INVALID_INPUT' });
});

test('where no token was made nobody is known', async () => {
  const tokens = createFilesystemCodecTokens(folder.newPath());
  expect(await tokens.verify('holdfast_anything', at.getTime())).toBeUndefined();
});
