import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { z } from 'zod';
import { codedFailure } from '../coded-failure.ts';
import { createPrivateFile, readPrivateFile } from '../private-file.ts';
import { readTemporalClaims } from './temporal-claims-target.ts';

/** The public halves of signing keys, as the Temporal server reads them from a URL. */
export interface TemporalKeySet {
  keys: JWK[];
}

export interface TemporalTokenRequest {
  /** Who it is for. */
  user: string;
  /** What the target of access keeps. */
  claimsFile: string;
  keyFile: string;
  lifetimeMs: number;
  atMs: number;
}

export interface TemporalToken {
  token: string;
  permissions: readonly string[];
  expiresAt: string;
}

/** One of the two that the server's default key provider takes; RS256 is the other. */
const algorithm = 'ES256';
const curve = 'P-256';

const place = { kind: 'signing key of Temporal tokens', renewWith: 'holdfast access temporal-key' };

const part = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const SigningKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal(curve),
  ...{ x: part, y: part, d: part },
});

/** A new key: the private half into the file. @throws CONFIGURATION_INVALID if it is there already */
export const makeTemporalKey = async (file: string): Promise<TemporalKeySet> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const { kty, crv, x, y, d } = privateKey.export({ format: 'jwk' });
  const key = { kty, crv, x, y } as JWK;
  await createPrivateFile({ ...place, file }, `${JSON.stringify({ ...key, d })}\n`);
  return { keys: [{ ...key, kid: await idOf(key), use: 'sig', alg: algorithm }] };
};

/**
 * A token with the permissions that a user has now, as the default claim mapper of the Temporal
 * server takes it: who in `sub`, `<namespace>:<role>` in `permissions`. The server asks nobody
 * about it: whoever has it may this until it expires.
 * @throws PERMISSION_DENIED for someone without permissions; CONFIGURATION_INVALID,
 * ACCESS_TARGET_REFUSED for files that cannot be used
 */
export const makeTemporalToken = async ({
  user,
  claimsFile,
  keyFile,
  lifetimeMs,
  atMs,
}: TemporalTokenRequest): Promise<TemporalToken> => {
  const permissions = await permissionsOf(user, claimsFile);
  const { SignJWT, importJWK } = await import('jose');
  const { key, kid } = await readSigningKey(keyFile);
  const issuedAt = Math.floor(atMs / 1000);
  const expiresAt = Math.floor((atMs + lifetimeMs) / 1000);
  const token = await new SignJWT({ permissions })
    // The server looks the key up by its id and refuses a token that names none.
    .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(await importJWK(key, algorithm));
  return { token, permissions, expiresAt: new Date(expiresAt * 1000).toISOString() };
};

const idOf = async ({ kty, crv, x, y }: JWK): Promise<string> => {
  const { calculateJwkThumbprint } = await import('jose');
  return calculateJwkThumbprint({ kty, crv, x, y } as JWK);
};

const permissionsOf = async (user: string, claimsFile: string): Promise<string[]> => {
  const claims = await readTemporalClaims(claimsFile);
  if (claims === undefined) {
    throw invalid(
      `There is no file of Temporal permissions ${claimsFile}. No token was made.`,
      'Name the claimsFile of a target in access.yaml; the first change of access writes it.',
      claimsFile,
    );
  }
  const permissions = claims.get(user) ?? [];
  if (permissions.length > 0) return [...permissions].sort();
  throw codedFailure({
    code: 'PERMISSION_DENIED',
    message: `${user} has no permissions in ${claimsFile}. No token was made.`,
    next: 'Check the name; permissions come with roles, by `managed.targets` of access.yaml.',
    subject: user,
  });
};

const readSigningKey = async (file: string): Promise<{ key: JWK; kid: string }> => {
  const text = await readPrivateFile({ ...place, file });
  if (text === undefined) {
    throw invalid(
      `There is no signing key ${file}. No token was made.`,
      `Make one with \`holdfast access temporal-key ${file}\`.`,
      file,
    );
  }
  const key = parse(text);
  if (key !== undefined) return { key, kid: await idOf(key) };
  // What is in the file is not repeated: it may be a secret.
  throw invalid(
    `${file} is not what \`holdfast access temporal-key\` wrote. No token was made.`,
    'Name the file with the signing key, or put back a copy of it.',
    file,
  );
};

const parse = (text: string): JWK | undefined => {
  try {
    return SigningKey.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

const invalid = (message: string, next: string, subject: string): Error =>
  codedFailure({ code: 'CONFIGURATION_INVALID', message, next, subject });
