import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportSPKI, importJWK } from 'jose';
import {
  createAccessGate,
  createFilesystemAccessKeys,
  createOidcTokens,
  makeSealingKey,
  openAccessSettings,
  sealToken,
  type AccessGate,
} from '../../../activities/identity/index.ts';
import { openSealedToken } from '../../../activities/identity/sealed-token.ts';
import { createAccessFolder, type AccessFolder } from '../../setup/access-folder.ts';
import { errorOf } from '../encryption/ring-folder.ts';
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts';

let issuer: TokenIssuer;
let folder: AccessFolder;
let sealingKey: string;
let gate: AccessGate;

const askAgainAfterMs = 1;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  folder = createAccessFolder();
  sealingKey = await makeSealingKey(folder.pathOf('sealing.jwk'));
  folder.write('access.yaml', {
    directory: 'directory.yaml',
    sealing: { publicKey: sealingKey, privateKeyFile: 'sealing.jwk' },
    issuers: [
      { issuer: issuer.url, audience: 'holdfast', algorithms: ['RS256'], nameClaim: 'email' },
    ],
    roles: [{ role: 'releaser', groups: ['from-claims'] }],
  });
});

beforeEach(() => {
  gate = createAccessGate({
    settings: openAccessSettings(folder.file),
    keysOf: ({ keysFile }) => createFilesystemAccessKeys(keysFile),
    tokens: createOidcTokens({ askAgainAfterMs }),
  });
});

afterAll(async () => {
  await issuer.stop();
  folder.remove();
});

const claims = { sub: '7', email: 'olga@example.com', groups: ['from-claims'] };

const refusalOf = async (token: string, atMs = Date.now()): Promise<string> => {
  const error = await errorOf(gate.holderOfToken(token, atMs));
  expect(error).toMatchObject({ type: 'IDENTITY_UNPROVEN', nonRetryable: true });
  expect(error.message).not.toContain(token);
  return error.message;
};

describe('an access token', () => {
  test('names its holder and their groups; with those come permissions', async () => {
    const olga = await gate.holderOfToken(await issuer.token(claims), Date.now());
    expect(olga).toEqual({ name: 'olga@example.com', kind: 'person', groups: ['from-claims'] });
    const question = { action: 'deployService.start', environment: 'prod', service: 'shop' };
    expect(await gate.permit(olga, question, Date.now())).toMatchObject({
      decidedBy: ['releasers-release'],
    });
  });

  test('for someone else, from someone else, too late or too early is refused', async () => {
    const now = Date.now();
    expect(await refusalOf(await issuer.token(claims, { audience: 'payroll' }))).toContain('aud');
    expect(
      await refusalOf(await issuer.token(claims, { issuer: 'https://id.example.com' })),
    ).toContain('https://id.example.com is not known');
    const expired = await issuer.token(claims, { expiresAtMs: now - 60_000 });
    expect(await refusalOf(expired)).toContain('exp');
    expect(await refusalOf(await issuer.token(claims, { notBeforeMs: now + 120_000 }))).toContain(
      'nbf',
    );
    expect(await refusalOf(await issuer.token({ sub: '7' }))).toContain('email');
    expect(await refusalOf('no token')).toContain('no JSON web token');
    // Clocks differ a little; a worker that was away looks at the time of the message.
    const justOver = await issuer.token(claims, { expiresAtMs: now - 10_000 });
    await gate.holderOfToken(justOver, now);
    await gate.holderOfToken(expired, now - 120_000);
  });

  test('without an algorithm, or signed with the public key as a secret, is refused', async () => {
    const [, payload = ''] = (await issuer.token(claims)).split('.');
    const headed = (header: object): string =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}`;
    expect(await refusalOf(`${headed({ alg: 'none' })}.`)).toContain('alg');
    const spki = await exportSPKI(
      (await importJWK(issuer.publicJwk(), 'RS256')) as Parameters<typeof exportSPKI>[0],
    );
    const forged = headed({ alg: 'HS256', kid: issuer.publicJwk().kid });
    const mac = createHmac('sha256', spki).update(forged).digest('base64url');
    expect(await refusalOf(`${forged}.${mac}`)).toContain('alg');
  });

  test('of another key under the same name is refused', async () => {
    const other = await startTokenIssuer();
    try {
      const forged = await other.token(claims, { issuer: issuer.url });
      expect(await refusalOf(forged)).toContain('signature');
    } finally {
      await other.stop();
    }
  });

  test('of a key that came later is taken; the keys are kept between', async () => {
    await gate.holderOfToken(await issuer.token(claims), Date.now());
    const asked = issuer.keysAsked();
    await gate.holderOfToken(await issuer.token(claims), Date.now());
    expect(issuer.keysAsked()).toBe(asked);
    const old = await issuer.token(claims);
    await issuer.rotate();
    await gate.holderOfToken(await issuer.token(claims), Date.now());
    expect(issuer.keysAsked()).toBeGreaterThan(asked);
    expect(await refusalOf(old)).toContain('key');
  });

  test('of an issuer that does not answer is neither good nor bad', async () => {
    const token = await issuer.token(claims);
    await issuer.stop();
    try {
      expect(await errorOf(gate.holderOfToken(token, Date.now()))).toMatchObject({
        type: 'ISSUER_UNREACHABLE',
        nonRetryable: false,
      });
    } finally {
      await issuer.start();
    }
    await gate.holderOfToken(token, Date.now());
  });

  test('of someone whom the directory disabled is refused while the issuer still lets them in', async () => {
    const token = await issuer.token(claims);
    folder.write('directory.yaml', { users: { 'olga@example.com': { disabled: true } } });
    try {
      expect(await refusalOf(token)).toContain('disabled');
    } finally {
      folder.write('directory.yaml', { users: {} });
    }
  });
});

describe('a sealed token', () => {
  test('is for one command and one set of workers', async () => {
    const keyFile = folder.pathOf('sealing.jwk');
    const sealed = await sealToken(sealingKey, { command: 'one', token: 'secret-token' });
    expect(sealed).not.toContain('secret-token');
    expect(await openSealedToken(keyFile, { sealed, command: 'one' })).toBe('secret-token');
    const others = await makeSealingKey(folder.pathOf('other.jwk')).then(() =>
      folder.pathOf('other.jwk'),
    );
    for (const [file, command] of [
      [keyFile, 'two'],
      [others, 'one'],
    ] as const) {
      expect(await errorOf(openSealedToken(file, { sealed, command }))).toMatchObject({
        type: 'IDENTITY_UNPROVEN',
      });
    }
    // Whoever alters a byte gets nothing.
    const altered = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(
      await errorOf(openSealedToken(keyFile, { sealed: altered, command: 'one' })),
    ).toMatchObject({ type: 'IDENTITY_UNPROVEN' });
  });
});
