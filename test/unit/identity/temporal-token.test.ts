import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { createProgram } from '../../../client/cli/program.ts';

let folder: string;
let claims: string;
let key: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-token-'));
  key = path.join(folder, 'temporal.jwk');
  claims = path.join(folder, 'claims.json');
  const held = { 'ana@example.com': ['shop:write', 'shop:read', 'ops:read'] };
  writeFileSync(claims, JSON.stringify(held), { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

const holdfast = async (...words: string[]): Promise<string> => {
  let stdout = '';
  const terminal = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => undefined },
    stdin: Readable.from([]),
    ...{ canAsk: false, colour: false },
  };
  const program = createProgram({ terminal, end: () => undefined });
  await program.parseAsync(['access', ...words], { from: 'user' });
  return stdout.trim();
};

const makeKey = async (file = key): Promise<JSONWebKeySet> =>
  JSON.parse(await holdfast('temporal-key', file)) as JSONWebKeySet;

const tokenFor = async (user: string, ...more: string[]): Promise<string> =>
  holdfast('temporal-token', '--for', user, '--claims', claims, '--key', key, ...more);

/**
 * What the default claim mapper of the Temporal server reads: it takes ES256 and RS256, looks
 * the key up by `kid`, wants a text in `sub`, and splits each permission at the first colon.
 */
const rolesIn = async (token: string, keys: JSONWebKeySet) => {
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
    algorithms: ['ES256', 'RS256'],
  });
  expect(keys.keys.map(({ kid }) => kid)).toContain(protectedHeader.kid);
  const permissions = payload['permissions'] as string[];
  const roles = permissions.map((text) => [text.split(':')[0], text.split(':')[1]]);
  return { subject: payload.sub, roles, lastsS: (payload.exp ?? 0) - (payload.iat ?? 0) };
};

describe('a token for the Temporal server', () => {
  test('carries what the user may, in the form of its claim mapper, for an hour', async () => {
    const keys = await makeKey();
    expect(await rolesIn(await tokenFor('ana@example.com'), keys)).toEqual({
      subject: 'ana@example.com',
      roles: [
        ['ops', 'read'],
        ['shop', 'read'],
        ['shop', 'write'],
      ],
      lastsS: 3600,
    });
    const short = await rolesIn(await tokenFor('ana@example.com', '--expires', '5m'), keys);
    expect(short.lastsS).toBe(300);
  });

  test('is told with what it says', async () => {
    await makeKey();
    const told = JSON.parse(await tokenFor('ana@example.com', '--json')) as Record<string, unknown>;
    expect(told).toMatchObject({ user: 'ana@example.com' });
    expect(told['permissions']).toEqual(['ops:read', 'shop:read', 'shop:write']);
    expect(Date.parse(String(told['expiresAt']))).not.toBeNaN();
  });

  test('is good by its own key alone', async () => {
    await makeKey();
    const token = await tokenFor('ana@example.com');
    const others = await makeKey(path.join(folder, 'other.jwk'));
    await expect(jwtVerify(token, createLocalJWKSet(others))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  test.each(['bob@example.com', 'constructor', '__proto__'])(
    'is refused to someone without permissions: %s',
    async (user) => {
      await makeKey();
      await expect(tokenFor(user)).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
        exitCode: 77,
        message: expect.stringContaining(`${user} has no permissions`),
      });
    },
  );

  test.each(['0s', '25h', '30d', 'soon'])('is refused for a time of %s', async (expires) => {
    await makeKey();
    const made = tokenFor('ana@example.com', '--expires', expires);
    await expect(made).rejects.toMatchObject({ code: 'INVALID_INPUT', subject: '--expires' });
  });

  test('is refused where a file is missing or another one, which is not repeated', async () => {
    await expect(tokenFor('ana@example.com')).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      next: expect.stringContaining('temporal-key'),
    });
    writeFileSync(key, '{"kty":"oct","k":"c2VjcmV0"}', { mode: 0o600 });
    const odd = await tokenFor('ana@example.com').catch((error: unknown) => String(error));
    expect(odd).toContain('is not what `holdfast access temporal-key` wrote');
    expect(odd).not.toContain('c2VjcmV0');
    rmSync(claims);
    await expect(tokenFor('ana@example.com')).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      subject: claims,
    });
    writeFileSync(claims, '[', { mode: 0o600 });
    const broken = tokenFor('ana@example.com');
    await expect(broken).rejects.toMatchObject({ code: 'ACCESS_TARGET_REFUSED' });
  });
});

describe('the key that signs tokens for the Temporal server', () => {
  test('stays with its owner, shows its public half, and is not overwritten', async () => {
    const { keys } = await makeKey();
    const text = readFileSync(key, 'utf8');
    const { d } = JSON.parse(text) as { d: string };
    expect(d).toHaveLength(43);
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(keys)).not.toContain(d);
    expect(keys).toMatchObject([{ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' }]);
    await expect(makeKey()).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
    expect(readFileSync(key, 'utf8')).toBe(text);
  });
});
