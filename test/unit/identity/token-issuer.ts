import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

/** An OIDC issuer over HTTP, which signs whatever a test asks for. */
export interface TokenIssuer {
  readonly url: string;
  /** Times that the keys were asked for. */
  keysAsked(): number;
  /** Signs with a new key from now on; the one before is gone. */
  rotate(): Promise<void>;
  token(claims: Record<string, unknown>, changes?: TokenChanges): Promise<string>;
  publicJwk(): JWK;
  stop(): Promise<void>;
  start(): Promise<void>;
}

interface TokenChanges {
  audience?: string;
  issuer?: string;
  expiresAtMs?: number;
  notBeforeMs?: number;
}

const algorithm = 'RS256';

export const startTokenIssuer = async (): Promise<TokenIssuer> => {
  let asked = 0;
  let serial = 0;
  let current: { privateKey: CryptoKey; jwk: JWK };
  const rotate = async (): Promise<void> => {
    serial += 1;
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: `k-${String(serial)}`, alg: algorithm };
    current = { privateKey, jwk };
  };
  await rotate();
  let url = '';
  const answer = (path: string): unknown => {
    if (path === '/.well-known/openid-configuration') {
      return { issuer: url, jwks_uri: `${url}/keys` };
    }
    asked += 1;
    return { keys: [current.jwk] };
  };
  let server: Server;
  const start = async (port = 0): Promise<void> => {
    server = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(request.url ?? '')));
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  };
  await start();
  return {
    get url() {
      return url;
    },
    keysAsked: () => asked,
    rotate,
    token: async (claims, changes = {}) => {
      const { audience = 'holdfast', issuer = url, expiresAtMs = Date.now() + 60_000 } = changes;
      const unsigned = new SignJWT(claims)
        .setProtectedHeader({ alg: algorithm, kid: current.jwk.kid ?? '' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime(new Date(expiresAtMs));
      if (changes.notBeforeMs !== undefined) unsigned.setNotBefore(new Date(changes.notBeforeMs));
      return unsigned.sign(current.privateKey);
    },
    publicJwk: () => current.jwk,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    start: async () => start(Number(new URL(url).port)),
  };
};
