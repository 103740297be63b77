import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import {
  createFilesystemCodecTokens,
  createKeyRingFile,
  createLoggedDecodeRecords,
  createPayloadCodec,
  issueCodecToken,
  openKeyRing,
  revokeInKeyRingFile,
  rotateKeyRingFile,
} from '../../../activities/encryption/index.ts';
import { startCodecEndpoint, type CodecEndpoint } from '../../../workers/codec-endpoint.ts';
import { maxBodyBytes } from '../../../workers/codec-exchange.ts';
import { openRingFolder } from '../encryption/ring-folder.ts';

const folder = openRingFolder();
const origin = 'http://127.0.0.1:8233';
const secret = 'a-planted-secret';
const logged: object[] = [];
let endpoint: CodecEndpoint;
let token: string;
let tokenId: string;
let expired: string;
let sealed: Payload;
let sealedByRevoked: Payload;

const sealWith = async (file: string): Promise<Payload> => {
  const codec = createPayloadCodec(await openKeyRing(file));
  const context = { type: 'workflow', namespace: 'default', workflowId: 'deploy:a:b:1' } as const;
  const [payload] = await codec.encode([defaultPayloadConverter.toPayload(secret)], context);
  return payload as Payload;
};

beforeAll(async () => {
  const [ringFile, tokensFile] = [folder.newPath(), folder.newPath()];
  const { id } = await createKeyRingFile(ringFile, new Date());
  sealedByRevoked = await sealWith(ringFile);
  await rotateKeyRingFile(ringFile, new Date());
  await revokeInKeyRingFile(ringFile, id);
  sealed = await sealWith(ringFile);
  const holder = 'ana@example.com';
  const live = await issueCodecToken(tokensFile, { holder, at: new Date(), lifetimeMs: 3_600_000 });
  const old = { holder, at: new Date(Date.now() - 7_200_000), lifetimeMs: 3_600_000 };
  expired = (await issueCodecToken(tokensFile, old)).token;
  [token, tokenId] = [live.token, live.entry.id];
  endpoint = await startCodecEndpoint({
    host: '127.0.0.1',
    port: 0,
    origin,
    ring: await openKeyRing(ringFile),
    tokens: createFilesystemCodecTokens(tokensFile),
    records: createLoggedDecodeRecords({ info: (record) => void logged.push(record) }),
    log: { error: (fields) => void logged.push(fields) },
  });
});
afterAll(async () => {
  await endpoint.close();
  folder.remove();
});

const base64Of = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString('base64');

const jsonOf = (payloads: readonly Payload[]): string =>
  JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64Of(bytes)]),
      ),
      data: base64Of(data),
    })),
  });

const ask = async (headers: Record<string, string> = {}, body = jsonOf([sealed])) =>
  fetch(`${endpoint.address}/decode`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-namespace': 'default',
      authorization: `Bearer ${token}`,
      ...headers,
    },
    body,
  });

const valuesIn = async (response: Response): Promise<unknown[]> => {
  const { payloads } = (await response.json()) as { payloads: { data: string }[] };
  return payloads.map(({ data }) => Buffer.from(data, 'base64').toString('utf8'));
};

describe('the codec endpoint', () => {
  test('opens what a holder of a token asks for, and records who, not what', async () => {
    logged.length = 0;
    const plain = defaultPayloadConverter.toPayload('in clear');
    const response = await ask({ origin }, jsonOf([sealed, plain, sealedByRevoked]));
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await valuesIn(response)).toEqual([
      JSON.stringify(secret),
      '"in clear"',
      Buffer.from(sealedByRevoked.data ?? []).toString('utf8'),
    ]);
    expect(logged).toEqual([
      {
        event: 'payloads.decoded',
        token: tokenId,
        holder: 'ana@example.com',
        namespace: 'default',
        payloads: 3,
        opened: 1,
        refused: 1,
      },
    ]);
    expect(JSON.stringify(logged)).not.toContain(secret);
    expect(JSON.stringify(logged)).not.toContain(token);
  });

  test('opens nothing of another namespace', async () => {
    const response = await ask({ 'x-namespace': 'production' });
    expect(await valuesIn(response)).not.toContain(JSON.stringify(secret));
  });

  test.each([
    ['no token', () => ({ authorization: '' })],
    ['an unknown token', () => ({ authorization: 'Bearer holdfast_unknown' })],
    ['an expired token', () => ({ authorization: `Bearer ${expired}` })],
    ['the token as a password', () => ({ authorization: `Basic ${token}` })],
    ['a cookie from no page', () => ({ authorization: '', cookie: `holdfast_codec=${token}` })],
  ])('answers 401 to %s', async (_, headers) => {
    logged.length = 0;
    const response = await ask(headers());
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.text()).toContain('CODEC_TOKEN_REFUSED');
    expect(logged).toEqual([]);
  });

  test('answers no page but the Temporal UI, whatever it shows', async () => {
    for (const foreign of ['http://evil.example', 'http://127.0.0.1:9999', 'null']) {
      const response = await ask({ origin: foreign, cookie: `holdfast_codec=${token}` });
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(await response.text()).toContain('CODEC_ORIGIN_REFUSED');
    }
  });

  test('lets the browser of the Temporal UI ask, and no other', async () => {
    const preflight = async (from: string) =>
      fetch(`${endpoint.address}/decode`, {
        method: 'OPTIONS',
        headers: { origin: from, 'access-control-request-method': 'POST' },
      });
    const allowed = await preflight(origin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-namespace');
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true');
    expect((await preflight('http://evil.example')).status).toBe(403);
  });

  test('answers 413 to a body that is too large, and 400 to one that is something else', async () => {
    const large = await ask({}, 'x'.repeat(maxBodyBytes + 1));
    expect(large.status).toBe(413);
    expect(await large.text()).toContain('CODEC_REQUEST_TOO_LARGE');
    for (const body of ['', '[]', '{"payloads":[{"data":"%"}]}', `{"payloads":"${secret}"}`]) {
      const response = await ask({}, body);
      expect(response.status).toBe(400);
      expect(await response.text()).not.toContain(secret);
    }
    expect((await ask({ 'x-namespace': '' })).status).toBe(400);
  });

  test('signs a browser in with the same token; its cookie opens payloads for the UI', async () => {
    const page = await fetch(endpoint.address);
    expect(await page.text()).toContain('<form method="post" action="session">');
    const send = async (text: string) =>
      fetch(`${endpoint.address}/session`, {
        method: 'POST',
        headers: { origin: endpoint.address },
        body: new URLSearchParams({ token: text }),
      });
    expect((await send(expired)).status).toBe(401);
    const signedIn = await send(token);
    expect(signedIn.status).toBe(200);
    const [cookie = ''] = signedIn.headers.getSetCookie();
    expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/);
    const [pair = ''] = cookie.split(';');
    const response = await ask({ authorization: '', origin, cookie: pair });
    expect(await valuesIn(response)).toEqual([JSON.stringify(secret)]);
  });

  test('encodes nothing', async () => {
    const response = await fetch(`${endpoint.address}/encode`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: jsonOf([]),
    });
    expect(response.status).toBe(404);
  });
});
