import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readPayloads } from '../activities/encryption/index.ts';
import type {
  CodecTokens,
  DecodeRecords,
  KeyRing,
  TokenEntry,
} from '../activities/encryption/port.ts';
import { parsePayloads, printPayloads, readRequestBody } from './codec-exchange.ts';
import { CodecRefusal } from './codec-refusal.ts';
import { cookieToken, pagePolicy, sessionCookie, signInPage } from './codec-sign-in.ts';

export interface CodecEndpointOptions {
  host: string;
  port: number;
  /** Origin of the Temporal UI, the one page whose scripts get an answer. */
  origin: string;
  ring: KeyRing;
  tokens: CodecTokens;
  records: DecodeRecords;
  log: { error(fields: object, message: string): void };
}

export interface CodecEndpoint {
  /** `http://host:port`, what the Temporal UI calls the codec server endpoint. */
  address: string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * Opens sealed payloads for people: `POST …/decode` as the Temporal UI and `temporal` speak it,
 * `GET /` to sign a browser in. Whoever asks shows a token, and each answer is recorded first.
 */
export const startCodecEndpoint = async (options: CodecEndpointOptions): Promise<CodecEndpoint> => {
  const server = createServer((request, response) => {
    void answerTo(request, options)
      .catch((error: unknown) => refusalOf(error, options))
      .then((answer) => {
        send(response, answer, corsHeaders(request, options));
        // What is left of a refused body is let through, or the sender would never read the answer.
        request.resume();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `http://${host}:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const send = (
  response: ServerResponse,
  { status, headers, body = '' }: Answer,
  cors: Record<string, string>,
): void => {
  const unread = status >= 400 ? { connection: 'close' } : {};
  response.writeHead(status, { 'cache-control': 'no-store', ...cors, ...headers, ...unread });
  response.end(body);
};

const refusalOf = (error: unknown, { log }: CodecEndpointOptions): Answer => {
  if (error instanceof CodecRefusal) {
    const { status, text } = error;
    const ask: Record<string, string> = status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...ask }, body: text };
  }
  log.error({ err: error }, 'the codec endpoint failed');
  const plain = { 'content-type': 'text/plain; charset=utf-8' };
  return { status: 500, headers: plain, body: 'INTERNAL: the log of the worker says more.\n' };
};

const answerTo = async (
  request: IncomingMessage,
  options: CodecEndpointOptions,
): Promise<Answer> => {
  refuseForeignOrigin(request, options);
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  // The protocol lets the endpoint lie anywhere: only the last part of the path counts.
  const last = path.slice(path.lastIndexOf('/') + 1);
  const asked = `${request.method ?? 'GET'} ${last}`;
  if (asked === 'OPTIONS decode') return { status: 204 };
  if (asked === 'POST decode') return decode(request, options);
  if (asked === 'POST session') return signIn(request, options);
  if (asked === 'GET ') return page(200, signInPage);
  return page(404, '<!doctype html><title>Not found</title>POST /decode, GET /');
};

const page = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': pagePolicy },
  body,
});

const isUi = ({ headers }: IncomingMessage, { origin }: CodecEndpointOptions): boolean =>
  headers.origin === origin;

/** Requests of the sign-in page come from where they go to; tools send no origin at all. */
const refuseForeignOrigin = (request: IncomingMessage, options: CodecEndpointOptions): void => {
  const { origin, host } = request.headers;
  if (origin === undefined || isUi(request, options)) return;
  if (host !== undefined && [`http://${host}`, `https://${host}`].includes(origin)) return;
  throw new CodecRefusal(
    'CODEC_ORIGIN_REFUSED',
    `Pages of ${origin} may not read payloads; only those of ${options.origin} may.`,
  );
};

const corsHeaders = (
  request: IncomingMessage,
  options: CodecEndpointOptions,
): Record<string, string> =>
  isUi(request, options)
    ? {
        'access-control-allow-origin': options.origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'authorization, content-type, x-namespace',
        vary: 'origin',
      }
    : { vary: 'origin' };

const decode = async (request: IncomingMessage, options: CodecEndpointOptions): Promise<Answer> => {
  const holder = await verified(presentedToken(request, options), options);
  const namespace = request.headers['x-namespace'];
  if (typeof namespace !== 'string' || namespace === '') {
    throw new CodecRefusal('INVALID_INPUT', 'The header X-Namespace is missing.');
  }
  const payloads = parsePayloads(await readRequestBody(request));
  const read = await readPayloads(options.ring, payloads, namespace);
  await options.records.add({
    token: holder.id,
    holder: holder.holder,
    namespace,
    payloads: payloads.length,
    opened: read.opened,
    refused: read.refused,
  });
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: printPayloads(read.payloads),
  };
};

/** A cookie counts for the UI alone: a browser sends it whichever page has made the request. */
const presentedToken = (
  request: IncomingMessage,
  options: CodecEndpointOptions,
): string | undefined => {
  const [, bearer] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return bearer ?? (isUi(request, options) ? cookieToken(request) : undefined);
};

const verified = async (
  token: string | undefined,
  { tokens }: CodecEndpointOptions,
): Promise<TokenEntry> => {
  const entry = token === undefined ? undefined : await tokens.verify(token, Date.now());
  if (entry !== undefined) return entry;
  const what = token === undefined ? 'There is no token' : 'The token is unknown or has expired';
  throw new CodecRefusal('CODEC_TOKEN_REFUSED', `${what}; nothing was decoded.`);
};

const signIn = async (request: IncomingMessage, options: CodecEndpointOptions): Promise<Answer> => {
  const token = new URLSearchParams(await readRequestBody(request)).get('token') ?? '';
  const entry = await verified(token, options);
  const host = request.headers.host ?? '';
  const cookie = sessionCookie(token, entry, { host, atMs: Date.now() });
  const done = `<!doctype html><title>Signed in</title>Signed in as ${entry.id}. Go back to the Temporal UI and load its page again.`;
  const answer = page(200, done);
  return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } };
};
