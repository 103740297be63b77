import { ApplicationFailure } from '@temporalio/common';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { codedFailure } from '../coded-failure.ts';
import type { IssuerSettings } from './access-settings.ts';
import type { TokenHolder } from './port.ts';

/** Verifies OIDC access tokens with the keys of their issuers, which it keeps and reads again. */
export interface OidcTokens {
  /** @throws IDENTITY_UNPROVEN; ISSUER_UNREACHABLE, which says nothing about the token */
  verify(
    token: string,
    at: { issuers: readonly IssuerSettings[]; atMs: number },
  ): Promise<TokenHolder>;
}

export interface OidcTokensDeps {
  /** A token with an unknown key makes us ask the issuer again, but not more often than this. */
  askAgainAfterMs?: number;
}

const answerWithinMs = 5_000;
const keepKeysForMs = 600_000;
const defaultAskAgainAfterMs = 5_000;

export const createOidcTokens = ({
  askAgainAfterMs = defaultAskAgainAfterMs,
}: OidcTokensDeps = {}): OidcTokens => {
  const keySets = new Map<string, JWTVerifyGetKey>();
  const keysOf = async (issuer: IssuerSettings): Promise<JWTVerifyGetKey> => {
    const address = issuer.jwks ?? (await discover(issuer.issuer));
    const known = keySets.get(address);
    if (known !== undefined) return known;
    const { createRemoteJWKSet, customFetch } = await import('jose');
    const keys = createRemoteJWKSet(new URL(address), {
      timeoutDuration: answerWithinMs,
      cacheMaxAge: keepKeysForMs,
      cooldownDuration: askAgainAfterMs,
      [customFetch]: ask,
    });
    keySets.set(address, keys);
    return keys;
  };
  return {
    async verify(token, { issuers, atMs }) {
      const jose = await import('jose');
      const named = issuerIn(token, jose.decodeJwt);
      const issuer = issuers.find((known) => known.issuer === named);
      if (issuer === undefined)
        throw unproven(`its issuer ${named ?? 'is not named'} is not known`);
      const { nameClaim, groupsClaim, audience, algorithms, clockSkewSeconds } = issuer;
      try {
        const { payload } = await jose.jwtVerify(token, await keysOf(issuer), {
          issuer: issuer.issuer,
          audience,
          algorithms,
          clockTolerance: clockSkewSeconds,
          // Without it a token would be good for ever.
          requiredClaims: ['exp'],
          currentDate: new Date(atMs),
        });
        return { name: nameIn(payload, nameClaim), groups: listIn(payload, groupsClaim) };
      } catch (error) {
        if (error instanceof ApplicationFailure) throw error;
        if (isAbsence(error)) throw unreachable(issuer.issuer, error);
        // The library says which check failed; no text of it quotes the token.
        throw unproven(error instanceof Error ? error.message : String(error), error);
      }
    },
  };
};

const issuerIn = (token: string, decode: (token: string) => JWTPayload): string | undefined => {
  try {
    return decode(token).iss;
  } catch {
    throw unproven('it is no JSON web token');
  }
};

const discover = async (issuer: string): Promise<string> => {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await ask(address, {
    signal: AbortSignal.timeout(answerWithinMs),
    redirect: 'error',
  });
  const { issuer: named, jwks_uri: keys } = (await answer.json()) as Record<string, unknown>;
  if (named !== issuer || typeof keys !== 'string') {
    throw new Error(`${address} is not the configuration of ${issuer}`);
  }
  if (new URL(keys).protocol !== new URL(issuer).protocol) {
    throw new Error(`the keys of ${issuer} are at ${keys}, on a less private way`);
  }
  return keys;
};

const nameIn = (payload: JWTPayload, claim: string): string => {
  const name = payload[claim];
  if (typeof name === 'string' && name !== '') return name;
  throw new Error(`the token has no claim ${claim}`);
};

const listIn = (payload: JWTPayload, claim: string): string[] => {
  const list = payload[claim];
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [];
};

/** The library's codes for an answer that is late, or none of keys. */
const isAbsence = (error: unknown): boolean => {
  const { code } = Object(error) as { code?: unknown };
  return code === 'ERR_JWKS_TIMEOUT' || code === 'ERR_JOSE_GENERIC';
};

/** No answer is no judgement about a token: it must not look like one. */
const ask: typeof fetch = async (address, options) => {
  try {
    return await fetch(address, options);
  } catch (error) {
    const { host } = new URL(address instanceof Request ? address.url : address);
    throw unreachable(host, error);
  }
};

const unreachable = (issuer: string, cause: unknown): Error =>
  codedFailure(
    {
      code: 'ISSUER_UNREACHABLE',
      message: `The issuer ${issuer} does not answer: ${cause instanceof Error ? cause.message : String(cause)}.`,
      subject: issuer,
    },
    { cause },
  );

const unproven = (reason: string, cause?: unknown): Error =>
  codedFailure(
    {
      code: 'IDENTITY_UNPROVEN',
      message: `The access token is refused: ${reason}. Nothing was changed.`,
      next: 'Get a new token from your identity provider, for the audience that access.yaml names.',
    },
    { cause },
  );
